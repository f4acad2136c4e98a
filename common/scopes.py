"""What a key may be used for: scopes, which narrow what its account may do, and never widen it.

    read:ROOM    join the room, hear it, read its log and its members      read:*   any room
    write:ROOM   join the room, and say something there                    write:*  any room
    direct       read one's own inbox and write to persons
    create       make rooms, and delete those that one has made
    admin        invite, remove, appoint, set topics, delete rooms and take back others' messages, where the account may
    account      passwords, sessions, keys, profile: only for people's own keys
    gateway      carry many people's sessions, each of whom logs in by itself: only the operator gives it

A session that logged in with a password has no scopes: it may do all that its account may. Must not know which rooms
exist, nor who asks.

Source: the idea is that of RFC 6749 section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from common import names
from common.errors import BadRequest
from common.limits import SCOPES

ANY: Final = "*"
READ: Final = "read"
WRITE: Final = "write"
DIRECT: Final = "direct"
CREATE: Final = "create"
ADMIN: Final = "admin"
ACCOUNT: Final = "account"
GATEWAY: Final = "gateway"
OF_ROOMS: Final = (READ, WRITE)
"""Those that are given for one room, or for any."""
PLAIN: Final = (DIRECT, CREATE, ADMIN, ACCOUNT, GATEWAY)
ALL: Final = (f"{READ}:{ANY}", f"{WRITE}:{ANY}", DIRECT, CREATE, ADMIN, ACCOUNT)
"""All that people may use a key of theirs for."""
_EXPECTED: Final = "read:ROOM, write:ROOM (ROOM may be *), direct, create, admin"
EXPECTED_OF_BOTS: Final = f"{_EXPECTED}, {GATEWAY}"
"""In words, what the key of a program may be used for."""
_EXPECTED_OF_ANY: Final = f"{_EXPECTED}, {ACCOUNT}"


def parse(written: Iterable[str]) -> tuple[str, ...]:
    """Scopes as they are kept: sorted, each once, names of rooms in NFC as they were written.

    Not as `names.key` compares them, for such a key may be long, and hold spaces. Raises `BadRequest` that says which
    is none, or that there are none or too many.
    """
    found: dict[str, str] = {}
    for each in written:
        verb, colon, room = each.strip().partition(":")
        if not colon and verb in PLAIN:
            found[verb] = verb
        elif colon and verb in OF_ROOMS and room == ANY:
            found[each.strip()] = each.strip()
        elif colon and verb in OF_ROOMS and room:
            name = names.parse(room)
            found.setdefault(f"{verb}:{names.key(name)}", f"{verb}:{name}")
        else:
            raise BadRequest(f"{each!r} is no scope; expected {_EXPECTED_OF_ANY}.")
    if not found:
        raise BadRequest(f"A key needs a scope at least; expected {_EXPECTED_OF_ANY}.")
    if len(found) > SCOPES:
        raise BadRequest(f"A key has at most {SCOPES} scopes; read:* and write:* are for all rooms.")
    return tuple(sorted(found.values()))


def _divided(scope: str) -> tuple[str, str]:
    """The verb of a room's scope, and the room as `names.key` compares it."""
    verb, _, room = scope.partition(":")
    return verb, names.key(room)


class Scopes:
    """What one key may be used for, quickly asked."""

    __slots__ = ("_plain", "_rooms", "written")

    def __init__(self, written: Iterable[str]) -> None:
        """`written`, as `parse` gives them."""
        self.written = tuple(written)
        self._plain = frozenset(each for each in self.written if ":" not in each)
        divided = [_divided(each) for each in self.written if ":" in each]
        self._rooms: dict[str, frozenset[str]] = {
            verb: frozenset(room for each, room in divided if each == verb) for verb in OF_ROOMS
        }

    def __contains__(self, scope: str) -> bool:
        """Whether one of `PLAIN` is among them."""
        return scope in self._plain

    def room(self, verb: str, key: str) -> bool:
        """Whether `READ` or `WRITE` is given for the room of that key (`names.key`)."""
        rooms = self._rooms[verb]
        return ANY in rooms or key in rooms

    def covers(self, others: Iterable[str]) -> bool:
        """Whether all of `others`, as `parse` gives them, may be done with this key."""
        return all(
            self.room(*_divided(each)) if ":" in each else each in self  # `*` is no room's key: only `*` has it
            for each in others
        )

    def enters(self, key: str) -> bool:
        """Whether a session may be in the room of that key at all: to read or to write."""
        return self.room(READ, key) or self.room(WRITE, key)
