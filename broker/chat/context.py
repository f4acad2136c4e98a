"""What a handler may touch, and the table of handlers. Must not hold any rule of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from broker.chat.change import Change
from broker.chat.effects import Effect, Now, Origin
from broker.chat.entities import Account, Room, Session
from broker.chat.gateways import Gateways
from broker.chat.grants import Grants
from broker.chat.marks import Marks
from broker.chat.presence import Presence
from broker.chat.rates import Limiter
from broker.chat.rights import ENTERS, check_room
from broker.chat.settings import ChatSettings
from broker.chat.state import State
from broker.chat.throttle import Throttle
from common.errors import Forbidden, NoSuchRoom, NoSuchUser, NotLoggedIn, NotMember
from common.limits import SEARCHES, STATUSES, TYPING
from common.messages import Bye, Command, Hello

_SLOWLY: Final = "This session asks too often; wait a little."
_CROWD: Final = "Too many requests come from your network; wait a little."
_NO_GATEWAY: Final = "Only a gateway that the operator registered may name sessions, or tell of others' addresses."
_WRITES_TOO_FAST: Final = "You write faster than this broker allows; wait a little."
_SPENT_KEPT: Final = 10_000
_BUCKETS: Final = 100_000


class Rules:
    """What all handlers share; one for a broker."""

    __slots__ = (
        "bot_posts",
        "bot_requests",
        "default",
        "gateways",
        "grants",
        "marks",
        "posts",
        "presence",
        "random",
        "registrations",
        "requests",
        "run",
        "searches",
        "settings",
        "spent",
        "state",
        "statuses",
        "stranger_requests",
        "throttle",
        "typing",
    )

    def __init__(
        self,
        settings: ChatSettings,
        state: State,
        grants: Grants,
        presence: Presence,
        marks: Marks,
        gateways: Gateways,
        default: Room,
        random: Callable[[int], bytes],
        run: str,
    ) -> None:
        self.settings = settings
        self.state = state
        self.grants = grants
        self.presence = presence
        self.marks = marks
        self.gateways = gateways
        self.default = default
        self.random = random
        self.run = run
        self.throttle = Throttle()
        # Accounts and sessions are in memory anyway, and so may their buckets be.
        self.posts = Limiter(settings.posts, _BUCKETS)
        self.bot_posts = Limiter(settings.bot_posts, _BUCKETS)
        self.requests = Limiter(settings.requests, _BUCKETS)
        self.bot_requests = Limiter(settings.bot_requests, _BUCKETS)
        self.searches = Limiter(SEARCHES, _BUCKETS)
        self.stranger_requests = Limiter(settings.stranger_requests)
        self.registrations = Limiter(settings.registrations)
        self.statuses = Limiter(STATUSES, _BUCKETS)
        self.typing = Limiter(TYPING, _BUCKETS)
        self.spent: dict[bytes, None] = {}
        """Digests of tokens used of late: a check that began before the use was on disk still finds them there."""

    def check_post(self, account: Account, now: Now, cost: float = 1.0) -> None:
        """Count something said or changed as so many messages. Raises `RateLimited` with the wait."""
        limiter = self.bot_posts if account.row.bot else self.posts
        limiter.check(account.id, now.mono, _WRITES_TOO_FAST, cost)

    def check_request(self, origin: Origin, session: Session | None, now: Now) -> None:
        """Count a request. Raises `RateLimited` with the wait, and `Forbidden` if only a gateway may ask so."""
        if session is not None:
            limiter = self.bot_requests if session.account.row.bot else self.requests
            limiter.check(session.id, now.mono, _SLOWLY)
        elif not self.of_many(origin):
            self.stranger_requests.check(origin.address, now.mono, _CROWD)
        if (origin.session or origin.person) and origin.key not in self.gateways:
            raise Forbidden(_NO_GATEWAY)

    def of_many(self, origin: Origin) -> bool:
        """Whether a request is from an address that stands for many people: a gateway's own."""
        return not origin.person and origin.key in self.gateways

    def spend(self, digest: bytes) -> None:
        """Note that a token is used up."""
        self.spent[digest] = None
        if len(self.spent) > _SPENT_KEPT:
            del self.spent[next(iter(self.spent))]


class Context:
    """One request: who asks, when, and what there is."""

    __slots__ = ("_session", "now", "origin", "rules", "state")

    def __init__(self, rules: Rules, origin: Origin, session: Session | None, now: Now) -> None:
        self.rules = rules
        self.state = rules.state
        self.origin = origin
        self._session = session
        self.now = now

    @property
    def session(self) -> Session:
        """The session that asks. Raises `NotLoggedIn` if there is none."""
        if self._session is None:
            raise NotLoggedIn
        return self._session

    @property
    def session_or_none(self) -> Session | None:
        """The session that asks, if it is bound to an account."""
        return self._session

    @property
    def account(self) -> Account:
        """The account that asks."""
        return self.session.account

    def change(self) -> Change:
        """Begin a change to what lasts."""
        return Change(self.state, self.rules.grants)

    def room(self, name: str, verbs: tuple[str, ...] = ENTERS) -> Room:
        """The room of that name, if the asking account may know of it. Raises `NoSuchRoom`.

        Raises `Forbidden` if the session's key has none of the `verbs` there.
        """
        room = self.state.room(name)
        if room is None or not may_know(self.account, room):
            raise NoSuchRoom
        check_room(self.session, room, verbs)
        return room

    def own_room(self, name: str, verbs: tuple[str, ...] = ENTERS) -> Room:
        """The room of that name, of which the account is a member. Raises `NotMember`, and what `room` raises."""
        room = self.room(name, verbs)
        if self.account.id not in room.members:
            raise NotMember
        return room

    def owns(self, room: Room) -> bool:
        """Whether the asking account made the room, or is the operator's."""
        return room.creator is self.account or self.account.row.operator

    def user(self, login: str) -> Account:
        """The account of that login. Raises `NoSuchUser`."""
        account = self.state.account(login)
        if account is None:
            raise NoSuchUser
        return account


def is_sign_of_life(command: Command) -> bool:
    """Whether a request shows that somebody is here: not the last one, nor one that asks not to be counted."""
    return type(command) is not Bye and not (type(command) is Hello and command.quiet)


def keeps_order(account: Account, room: Room) -> bool:
    """Whether an account may remove people there, take back what others said, and set the topic line."""
    return room.creator is account or account.id in room.moderators or account.row.operator


def may_know(account: Account, room: Room) -> bool:
    """Whether an account may know that a room exists."""
    return not room.row.private or account.id in room.members or room.id in account.invited or room.creator is account


C = TypeVar("C", bound=Command)
Handler = Callable[[Context, Any], list[Effect]]


class Handled(NamedTuple):
    """A handler and what it needs; the gate in `broker.chat.chat` sees to it."""

    handler: Handler
    needs_login: bool


HANDLERS: Final[dict[type[Command], Handled]] = {}
"""The handler of every command, filled by `handles`."""


def handles(
    command: type[C], *, login: bool = True
) -> Callable[[Callable[[Context, C], list[Effect]]], Callable[[Context, C], list[Effect]]]:
    """Register a handler for a command; with `login`, it is called only for a logged-in session."""

    def register(handler: Callable[[Context, C], list[Effect]]) -> Callable[[Context, C], list[Effect]]:
        HANDLERS[command] = Handled(handler, login)
        return handler

    return register
