"""What the rules reason about: accounts, their sessions, the client processes behind these, and rooms.

Each holds its own part of the present moment; the indexes over them are `broker.chat.state`. Must not know how
a change is kept or announced.
"""

from __future__ import annotations

from broker.chat.effects import Connection
from broker.chat.ports import AccountRow, KeyRow, MarkRow, RoomRow, SessionRow
from common import lookalikes, messages, names, topics
from common.scopes import GATEWAY, Scopes


class Peer:
    """A client process: one key pair, its connections to the broadcast socket, its sessions."""

    __slots__ = ("beacon", "connections", "had_beacon", "heard", "key", "lost_at", "sessions")

    def __init__(self, key: str, beacon: str) -> None:
        self.key = key
        self.beacon = beacon
        self.connections: dict[Connection, Hearing] = {}
        self.sessions: dict[str, Session] = {}
        self.had_beacon = False
        self.heard = float("-inf")
        """When the last request or beacon came, by the clock that never jumps."""
        self.lost_at: float | None = None

    @property
    def listening(self) -> bool:
        """Whether a connection holds the beacon now."""
        return any(hearing.beacon for hearing in self.connections.values())


class Hearing:
    """What one connection hears."""

    __slots__ = ("beacon", "held_back", "topics")

    def __init__(self) -> None:
        self.topics: set[bytes] = set()
        self.beacon = False
        self.held_back: list[bytes] = []
        """Topics granted before the beacon, whose markers wait for it."""


class Account:
    """An account, its sessions and its rooms."""

    __slots__ = (
        "created_rooms",
        "head",
        "hidden",
        "inbox",
        "invited",
        "key",
        "keys",
        "marks",
        "present",
        "rooms",
        "row",
        "secrets",
        "sessions",
        "stored",
        "stored_bytes",
    )

    def __init__(self, row: AccountRow) -> None:
        self.row = row
        self.key = names.key(row.login)
        self.inbox = topics.inbox(row.login)
        self.head = 0
        self.secrets = 0
        """Grows when the password is changed, and again when that is on disk: what was checked before is void."""
        self.present = False
        self.sessions: dict[int, Session] = {}
        self.keys: dict[int, Key] = {}
        """Those that log in to it by themselves."""
        self.rooms: dict[int, Room] = {}
        self.created_rooms: dict[int, Room] = {}
        self.hidden: set[int] = set()
        self.invited: set[int] = set()
        self.marks: dict[int, MarkRow] = {}
        """By the conversation's number, those marked last at the end."""
        self.stored: dict[str, int] = {}
        """The keys under which it keeps something, and the bytes of each value."""
        self.stored_bytes = 0
        """Of all these keys, in UTF-8, and values together."""

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def login(self) -> str:
        return self.row.login

    def set_stored(self, key: str, size: int | None) -> int | None:
        """Note how many bytes are kept under a key, None for nothing any more; how many it were."""
        known = self.stored.pop(key, None)
        if known is not None:
            self.stored_bytes -= stored_size(key, known)
        if size is not None:
            self.stored[key] = size
            self.stored_bytes += stored_size(key, size)
        return known


def stored_size(key: str, value: int) -> int:
    """What a value of so many bytes counts, with its key."""
    return len(key.encode()) + value


class Key:
    """A public key that logs in to an account by itself, and what it may be used for."""

    __slots__ = ("account", "row", "scopes")

    def __init__(self, row: KeyRow, account: Account) -> None:
        self.row = row
        self.account = account
        self.scopes = Scopes(row.scopes.split())

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def logs_in(self) -> bool:
        """Whether its holder is somebody by it; not if it lets others in and may do nothing else."""
        return self.scopes.written != (GATEWAY,)


class Session:
    """The binding of a peer (and a gateway's label) to an account, and whether it is here."""

    __slots__ = (
        "account",
        "client",
        "created",
        "current",
        "id",
        "kept",
        "key",
        "label",
        "peer",
        "present",
        "presumed_until",
        "scopes",
        "seen",
    )

    def __init__(self, row: SessionRow, account: Account, peer: Peer, current: Room, key: Key | None = None) -> None:
        self.id = row.id
        self.key = key
        """The key by which it logged in; None if it was by a password."""
        self.scopes = key.scopes if key else None
        """What it may be used for; None for all that the account may do."""
        self.account = account
        self.peer = peer
        self.label = row.label
        self.client = row.client
        self.created = row.created
        self.seen = row.seen
        self.present = False
        self.kept = False
        """Whether it is on disk: until then it entitles nobody to hear anything."""
        self.current = current
        self.presumed_until: float | None = None
        """After a start of the broker: until when the session counts as present unseen."""

    @property
    def settled(self) -> bool:
        """Whether it is on disk, and so are all memberships of its account."""
        return self.kept and not any(self.account.id in room.joining for room in self.account.rooms.values())

    def row(self) -> SessionRow:
        """The session as it is kept."""
        return SessionRow(
            self.id,
            self.account.id,
            self.peer.key,
            self.label,
            self.client,
            self.created,
            self.seen,
            self.present,
            self.current.id,
        )


class Room:
    """A room, its members and where its log ends."""

    __slots__ = (
        "changes",
        "creator",
        "head",
        "joining",
        "key",
        "members",
        "moderators",
        "online",
        "row",
        "skeleton",
        "topic",
    )

    def __init__(self, row: RoomRow, creator: Account | None) -> None:
        self.row = row
        self.creator = creator
        self.key = names.key(row.name)
        self.skeleton = lookalikes.skeleton(row.name)
        self.topic = topics.topic(row.name)
        self.head = 0
        self.members: dict[int, int] = {}
        """Account id to `since`."""
        self.joining: dict[int, object] = {}
        """Account ids whose memberships are not on disk yet, and which change puts them there: they hear nothing."""
        self.moderators: dict[int, Account] = {}
        """Who keeps order there besides its creator, member or not."""
        self.online = 0
        self.changes: list[messages.Change] = []
        """Announced with the next roster event."""

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def name(self) -> str:
        return self.row.name
