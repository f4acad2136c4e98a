"""What the rules need from persistence: the rows, the writes, the questions, and the port `Store`.

The rules hold accounts, sessions, rooms and memberships in memory, loaded once (`Store.load`); texts and
password hashes stay on disk. Every change is a `Write`, carried out by the journal, the only writer; every
look at the disk is a `Query`, answered by a worker. Must not know SQL, files or threads.

A log's number is the room's id for a room, and the account's id negated for an inbox. The rules hand out the
ids of accounts, keys, sessions, tokens and rooms; the store hands out `seq` and `prev`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

# Rows, as `Store.load` gives them.


class AccountRow(NamedTuple):
    """An account without its password."""

    id: int
    login: str
    first_names: str
    surnames: str
    age: int
    gender: str
    created: int
    disabled: bool
    operator: bool
    status: str = "available"
    note: str = ""
    show_seen: bool = True
    """Whether others may know `seen`."""
    seen: int = 0
    """When the last of its sessions vanished; 0 if it never had one."""
    bot: bool = False
    """Whether it is a program, which has no password."""


class KeyRow(NamedTuple):
    """A public key that logs in to an account by itself, for what its scopes allow."""

    id: int
    account: int
    key: str
    """Z85, as the connections of whoever holds it are named."""
    name: str
    scopes: str
    """As `common.scopes.parse` gives them, divided by spaces."""
    created: int
    seen: int
    """When a session that it had was last seen; 0 if it never had one, or has one now."""


class SessionRow(NamedTuple):
    """The binding of a public key (and, for gateways, a label) to an account."""

    id: int
    account: int
    key: str
    """The public key of the client process, Z85: the connection's User-Id."""
    label: str
    """The field `as`; empty for everybody but gateways."""
    client: str
    created: int
    seen: int
    present: bool
    """Whether the session was connected when this was written."""
    current: int
    """The room it was in."""


class RoomRow(NamedTuple):
    id: int
    name: str
    kept: bool
    private: bool
    open: bool
    subject: str
    creator: int | None
    created: int


class MemberRow(NamedTuple):
    """An account's membership of a room; entries with `seq` above `since` are theirs to read."""

    room: int
    account: int
    since: int


class InvitationRow(NamedTuple):
    room: int
    account: int


class HiddenRow(NamedTuple):
    account: int
    room: int


class MarkRow(NamedTuple):
    """How far an account has read a conversation, and what of it it wants to be told."""

    account: int
    talk: int
    """The room's id, or the other person's account id negated: as logs are numbered."""
    read: int
    notify: str | None
    marked: int
    """Grows with each change of any mark of the account: their order."""


class ModeratorRow(NamedTuple):
    """Who keeps order in a room besides whoever made it, member or not."""

    room: int
    account: int


class StoredRow(NamedTuple):
    """That an account keeps something under a key; what it is stays on disk."""

    account: int
    key: str
    size: int
    """Bytes of the value."""


class Snapshot(NamedTuple):
    """All that the rules hold in memory, as it stands on disk."""

    accounts: Sequence[AccountRow]
    sessions: Sequence[SessionRow]
    rooms: Sequence[RoomRow]
    members: Sequence[MemberRow]
    invitations: Sequence[InvitationRow]
    hidden: Sequence[HiddenRow]
    marks: Sequence[MarkRow]
    """In the order of `marked`."""
    keys: Sequence[KeyRow]
    moderators: Sequence[ModeratorRow]
    stored: Sequence[StoredRow]
    heads: dict[int, int]
    """The last `seq` of each log that has entries, by the log's number."""
    last_ids: dict[str, int]
    """The highest id ever handed out, by table: `account`, `session`, `token`, `room`, `key`."""


# Writes. A commit carries several; all of it is done, or none.


class NewEntries(NamedTuple):
    """Append one entry to each of `logs`, under one nonce.

    If the store holds `(sender, nonce)` already, nothing is written and the old places are the outcome: as
    many as the old entry has, whatever `logs` says now.
    `other` is the recipient's account id for a direct message, the room's id for an invitation, 1 for a reaction that
    is put and 0 for one that is taken away, else 0.

    What changes a message changes it in the same transaction, unless the nonce was known: `edit` gives it `text`,
    `retract` erases its text and its reactions for good, `reaction` puts or takes away `sender`'s emoji `text`. A
    message that was retracted stays so, and has no reactions; it takes no more than `REACTIONS` different ones.
    """

    kind: str
    """`message`, `direct`, `invited`, `edit`, `retract` or `reaction`."""
    logs: tuple[int, ...]
    sender: int
    other: int
    text: str
    nonce: bytes
    time: int
    targets: tuple[int, ...] = ()
    """For each of `logs` the `seq` in it of the message that is changed or answered; empty for neither."""
    hops: int = 0
    """Of a message: how many programs have answered one another up to it."""


class Place(NamedTuple):
    """Where an entry came to stand: the outcome of `NewEntries`, one for each log."""

    seq: int
    prev: int
    time: int
    known: bool
    """True if the nonce was known: this is the place of the entry written before."""
    people: int = 0
    """Of a `reaction`: how many accounts have that emoji at the message then."""


class AddAccount(NamedTuple):
    row: AccountRow
    password: str
    """The tagged hash, as `broker.wire.passwords` writes it."""


class UpdateAccount(NamedTuple):
    """Replace all fields of an account but its password."""

    row: AccountRow


class SetPassword(NamedTuple):
    account: int
    password: str


class PutKey(NamedTuple):
    """Add a key, or replace the one of the same id."""

    row: KeyRow


class DropKey(NamedTuple):
    id: int


class PutSession(NamedTuple):
    """Add a session, or replace the one of the same id."""

    row: SessionRow


class DropSession(NamedTuple):
    id: int


class AddToken(NamedTuple):
    id: int
    account: int
    digest: bytes
    """SHA-256 of the token."""
    created: int


class DropTokens(NamedTuple):
    """Forget the token of that digest, or all of an account if `digest` is None."""

    account: int
    digest: bytes | None


class AddRoom(NamedTuple):
    row: RoomRow


class UpdateRoom(NamedTuple):
    row: RoomRow


class DropRoom(NamedTuple):
    """Forget a room with all that belongs to it: members, moderators, invitations, hidings, marks and log (the log's
    rows perhaps a little later)."""

    id: int


class PutMember(NamedTuple):
    row: MemberRow


class DropMember(NamedTuple):
    room: int
    account: int


class PutInvitation(NamedTuple):
    row: InvitationRow


class DropInvitation(NamedTuple):
    room: int
    account: int


class PutModerator(NamedTuple):
    row: ModeratorRow


class DropModerator(NamedTuple):
    room: int
    account: int


class SetHidden(NamedTuple):
    account: int
    room: int
    hidden: bool


class PutMark(NamedTuple):
    """Add a mark, or replace that of the same account and conversation."""

    row: MarkRow


class DropMark(NamedTuple):
    account: int
    talk: int


class PutStored(NamedTuple):
    """Keep a value under a key of an account, in the place of what was there."""

    account: int
    key: str
    value: bytes


class DropStored(NamedTuple):
    account: int
    key: str


Write = (
    NewEntries
    | AddAccount
    | UpdateAccount
    | SetPassword
    | PutKey
    | DropKey
    | PutSession
    | DropSession
    | AddToken
    | DropTokens
    | AddRoom
    | UpdateRoom
    | DropRoom
    | PutMember
    | DropMember
    | PutInvitation
    | DropInvitation
    | SetHidden
    | PutModerator
    | DropModerator
    | PutMark
    | DropMark
    | PutStored
    | DropStored
)


# Queries: looked up, or computed, on a worker thread.


class HashPassword(NamedTuple):
    """Result: the tagged hash, a `str`."""

    password: str


class CheckPassword(NamedTuple):
    """Result: False if it is wrong; True; or, if it is right and was hashed in an older way, the new tagged hash.

    With `account` None the same work is done and the result is False.
    """

    account: int | None
    password: str


class CheckToken(NamedTuple):
    """Result: `bool`, whether the account has a token of that digest made after `oldest`."""

    account: int | None
    digest: bytes
    oldest: int


class ReadLog(NamedTuple):
    """Result: `LogPage`. The entries with `after` < seq < `before`, oldest first.

    With `after` None the newest `limit` of them. A page also ends when its texts exceed `max_bytes`, counted
    from the newest then; it always holds at least one entry if there is one.
    """

    log: int
    after: int | None
    before: int | None
    limit: int
    max_bytes: int
    reader: int = 0
    """The account that reads: whose reactions are `mine`."""


class ReadMessage(NamedTuple):
    """Result: `MessageRow`, or None if there is no message at `seq` of that log.

    `sender` and `nonce` are those of whatever is to be done to the message: it may be done already.
    """

    log: int
    seq: int
    sender: int
    nonce: bytes


class FindMessages(NamedTuple):
    """Result: `Findings`, or None if that took longer than it may. The newest messages with `seq` < `before`.

    Only what `logs` hold is looked at, in each what is above its `seq` there; with `sender`, only what that account
    said. A message is found if it has all of `words`, and none of `without`.
    """

    logs: tuple[tuple[int, int], ...]
    """By the number of a log, the `seq` above which it may be read."""
    words: tuple[Phrase, ...]
    without: tuple[Phrase, ...]
    sender: int | None
    before: int | None
    limit: int
    max_bytes: int
    reader: int


class Phrase(NamedTuple):
    """Words that stand one after the other, however they are written otherwise: case, accents, what divides them."""

    text: str
    begins: bool = False
    """Whether the last word may go on."""


class ReadStored(NamedTuple):
    """Result: the `bytes` that an account keeps under a key, or None."""

    account: int
    key: str


Query = HashPassword | CheckPassword | CheckToken | ReadLog | ReadMessage | FindMessages | ReadStored


class Reaction(NamedTuple):
    """An emoji under a message, and how many have put it."""

    emoji: str
    people: int
    mine: bool


class EntryRow(NamedTuple):
    """An entry as it stands in a log; `sender` and `other` are as in `NewEntries`.

    A message is as it is now. The text of an `edit` is that of its message now; that of a `reaction` is the emoji.
    """

    seq: int
    prev: int
    time: int
    kind: str
    sender: int
    other: int
    text: str
    nonce: bytes
    target: int = 0
    """The `seq` of the message in the same log that is changed or answered; 0 for none."""
    edited: int = 0
    """When the text of a message was changed last; 0 if never."""
    retracted: bool = False
    changed: int = 0
    """The `seq` of the last change that is in a message; 0 for none."""
    hops: int = 0
    """How many programs have answered one another up to this message."""
    reactions: tuple[Reaction, ...] = ()
    """In the order of first use; of a `reaction` itself, what there is of its emoji, if anybody has it there."""


class LogPage(NamedTuple):
    entries: list[EntryRow]
    more: bool


class MessageRow(NamedTuple):
    """What is to be known of a message before anything is done to it."""

    kind: str
    sender: int
    other: int
    retracted: bool
    hops: int
    length: int
    """Characters of its text."""
    emoji: frozenset[str]
    copies: tuple[tuple[int, int], ...]
    """By the number of each log that holds it, its `seq` there; of a private message there are two."""
    known: Place | None
    """Where the entry of the question's nonce stands, if there is one: it was done, whatever has become of it since."""


class Findings(NamedTuple):
    """Messages, newest first, each with the number of its log."""

    found: list[tuple[int, EntryRow]]
    more: bool


class Store(Protocol):
    """Persistence. `load` before anything else; `commit` on one thread only; the reads on any thread."""

    def load(self) -> Snapshot:
        """Read all that the rules hold in memory."""

    def commit(self, writes: Sequence[Write]) -> list[tuple[Place, ...]]:
        """Do all of `writes` in one durable transaction, or raise and have done none.

        Returns the places of the `NewEntries` among them, in order. Nonces repeated within one commit
        count as known from the second on. Raises `StoreFull` or `StoreFailed`.
        """

    def password(self, account: int) -> str | None:
        """The tagged hash of an account's password, None if there is no such account."""

    def has_token(self, account: int, digest: bytes, oldest: int) -> bool:
        """Whether the account has a token of that digest made after `oldest` (ms)."""

    def read_log(self, query: ReadLog) -> LogPage:
        """Answer `ReadLog`."""

    def read_message(self, query: ReadMessage) -> MessageRow | None:
        """Answer `ReadMessage`."""

    def find_messages(self, query: FindMessages) -> Findings | None:
        """Answer `FindMessages`."""

    def read_stored(self, query: ReadStored) -> bytes | None:
        """Answer `ReadStored`."""

    def close(self) -> None:
        """Close every thread's connection; nothing else may be called afterwards."""


class StoreFailed(Exception):
    """The disk or the database refused; nothing of the transaction was done."""


class StoreFull(StoreFailed):
    """No space left."""


class StoreBroken(StoreFailed):
    """Whether the transaction was done is unknown: a sync failed. Only a new start can tell what is on disk."""
