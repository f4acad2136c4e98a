"""The typed messages of the protocol: what is asked, answered and announced. `docs/PROTOCOL.md` in types.

Three families: commands (fields of a request, one class per op), replies (one class per op, `OPS` pairs
them) and events (one class per kind; log entries among them). Shape and type are checked when a message is
decoded (`common.codec`); whether a name is well formed or an action allowed is the rules' matter.
Must not know how a message travels or who may send it.

Times are integer milliseconds UTC by the broker's clock; ids and sequence numbers are unsigned integers.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from common import limits

UInt = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=4 * limits.NAME_LENGTH)]
"""A login or room name as somebody wrote it; `common.names` judges it."""
LogName = Annotated[str, Meta(min_length=1, max_length=4 * limits.NAME_LENGTH + 1)]
Text = Annotated[str, Meta(max_length=limits.TEXT_LENGTH)]
Line = Annotated[str, Meta(max_length=limits.SUBJECT_LENGTH)]
PersonName = Annotated[str, Meta(max_length=limits.PERSON_NAME_LENGTH)]
Secret = Annotated[str, Meta(max_length=limits.PASSWORD_LENGTH[1])]
Nonce = Annotated[bytes, Meta(min_length=limits.NONCE_BYTES, max_length=limits.NONCE_BYTES)]
Age = Annotated[int, Meta(ge=limits.AGE_RANGE[0], le=limits.AGE_RANGE[1])]
Gender = Literal["female", "male", "other", "undisclosed"]
Page = Annotated[int, Meta(ge=1, le=limits.LIST_PAGE)]
Emoji = Annotated[str, Meta(min_length=1, max_length=limits.EMOJI_LENGTH)]
Note = Annotated[str, Meta(max_length=limits.NOTE_LENGTH)]
Talk = LogName
"""A conversation: a room's name, or `@` and the login of the other person."""
Notify = Literal["all", "mentions", "off"]
"""What somebody wants to be told of: every message, those that name them, or none."""
Status = Literal["available", "away", "dnd"]
"""What somebody says of themselves: may be talked to; not at the keyboard; not to be disturbed."""
PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32)]
Scopes = Annotated[
    list[Annotated[str, Meta(max_length=limits.SCOPE_LENGTH)]], Meta(min_length=1, max_length=limits.SCOPES)
]
"""What a key may be used for; `common.scopes` judges them."""
StoreKey = Annotated[str, Meta(min_length=1, max_length=limits.STORE_KEY_LENGTH)]


# Commands: what a request asks. The class of an op is found in `OPS`.


class Command(Struct, frozen=True, kw_only=True):
    """The fields of one request, without its envelope (`op`, `id`, `as`)."""

    op: ClassVar[str]


class Hello(Command, frozen=True, kw_only=True):
    """Agree on a version and learn what this session is; the first request on a connection."""

    op = "hello"
    versions: Annotated[list[UInt], Meta(min_length=1, max_length=16)]
    client: Annotated[str, Meta(max_length=limits.CLIENT_LENGTH)] = ""
    quiet: bool | None = None
    """Learn what the session is without being counted as present: a gateway whose person is away asks so."""


class Register(Command, frozen=True, kw_only=True):
    """Make an account, and log this session in to it."""

    op = "register"
    login: Name
    password: Secret
    first_names: PersonName
    surnames: PersonName
    age: Age
    gender: Gender


class Login(Command, frozen=True, kw_only=True):
    """Bind this session to an account, by password or by a remember-me token (exactly one)."""

    op = "login"
    login: Name
    password: Secret | None = None
    token: Annotated[bytes, Meta(max_length=limits.TOKEN_BYTES)] | None = None
    remember: bool = False


class Logout(Command, frozen=True, kw_only=True):
    """End this session: its binding is gone, and `token` if one is given."""

    op = "logout"
    token: Annotated[bytes, Meta(max_length=limits.TOKEN_BYTES)] | None = None


class Bye(Command, frozen=True, kw_only=True):
    """Disconnect now, without the grace that a lost connection has; the session stays bound."""

    op = "bye"


class Ping(Command, frozen=True, kw_only=True):
    """A heartbeat: the broker's time, and where each of one's logs ends."""

    op = "ping"


class Sessions(Command, frozen=True, kw_only=True):
    """List the sessions of one's account."""

    op = "sessions"


class Revoke(Command, frozen=True, kw_only=True):
    """End another session of one's account and cut it off."""

    op = "revoke"
    session: UInt


class Password(Command, frozen=True, kw_only=True):
    """Change one's password; every other session of the account ends and is cut off."""

    op = "password"
    old: Secret
    new: Secret


class Profile(Command, frozen=True, kw_only=True):
    """Read a profile: one's own whole, somebody else's without what is private."""

    op = "profile"
    login: Name | None = None


class UpdateProfile(Command, frozen=True, kw_only=True):
    """Change fields of one's own account."""

    op = "update-profile"
    first_names: PersonName | None = None
    surnames: PersonName | None = None
    age: Age | None = None
    gender: Gender | None = None
    show_seen: bool | None = None
    """Whether others may see when one was last here."""


class Users(Command, frozen=True, kw_only=True):
    """List the users of the whole system by login, a page at a time."""

    op = "users"
    after: Annotated[str, Meta(max_length=4 * limits.NAME_LENGTH)] = ""
    limit: Page = limits.LIST_PAGE


class Rooms(Command, frozen=True, kw_only=True):
    """List the rooms one may know of, by name, a page at a time; those one has hidden only if asked."""

    op = "rooms"
    hidden: bool = False
    after: Annotated[str, Meta(max_length=4 * limits.NAME_LENGTH)] = ""
    limit: Page = limits.LIST_PAGE


class Create(Command, frozen=True, kw_only=True):
    """Make a room and join it."""

    op = "create"
    room: Name
    kept: bool = False
    private: bool = False
    open: bool = False
    subject: Line = ""


class Join(Command, frozen=True, kw_only=True):
    """Become a member of a room, besides those one is in."""

    op = "join"
    room: Name


class Enter(Command, frozen=True, kw_only=True):
    """Go into a room and leave the one this session was in (one current room per session)."""

    op = "enter"
    room: Name


class Leave(Command, frozen=True, kw_only=True):
    """Stop being a member of a room; whoever is left in no room finds themselves in the default one."""

    op = "leave"
    room: Name


class Delete(Command, frozen=True, kw_only=True):
    """Delete a room one has made, and its log with it."""

    op = "delete"
    room: Name


class Hide(Command, frozen=True, kw_only=True):
    """Take a room off one's own list, or put it back."""

    op = "hide"
    room: Name
    hidden: bool = True


class Members(Command, frozen=True, kw_only=True):
    """List a room's members by login, a page at a time."""

    op = "members"
    room: Name
    after: Annotated[str, Meta(max_length=4 * limits.NAME_LENGTH)] = ""
    limit: Page = limits.LIST_PAGE


class Invite(Command, frozen=True, kw_only=True):
    """Let somebody into a private room; their inbox is told."""

    op = "invite"
    room: Name
    login: Name


class Remove(Command, frozen=True, kw_only=True):
    """Expel somebody from a room one has made; from a private one, the invitation goes too."""

    op = "remove"
    room: Name
    login: Name


class Moderate(Command, frozen=True, kw_only=True):
    """Let somebody keep order in a room one has made, or no longer: they may remove people and take back messages."""

    op = "moderate"
    room: Name
    login: Name
    on: bool = True


class Subject(Command, frozen=True, kw_only=True):
    """Set a room's topic line."""

    op = "subject"
    room: Name
    subject: Line


class Send(Command, frozen=True, kw_only=True):
    """Say something in a room one is a member of."""

    op = "send"
    room: Name
    text: Text
    nonce: Nonce
    reply_to: UInt | None = None
    """The `seq` of the message in the same log that this one answers."""
    hops: UInt | None = None
    """How many programs have answered one another up to here; as in the message that this is due to, and one more."""


class Direct(Command, frozen=True, kw_only=True):
    """Say something to one person, wherever they are, now or later."""

    op = "direct"
    to: Name
    text: Text
    nonce: Nonce
    reply_to: UInt | None = None
    """As for `send`, in one's own inbox."""
    hops: UInt | None = None
    """As for `send`."""


class Edit(Command, frozen=True, kw_only=True):
    """Say something else in the place of a message of one's own."""

    op = "edit"
    log: LogName
    seq: UInt
    text: Text
    nonce: Nonce


class Retract(Command, frozen=True, kw_only=True):
    """Take a message back: one's own, or somebody's in a room one has made. Its text is erased."""

    op = "retract"
    log: LogName
    seq: UInt
    nonce: Nonce


class React(Command, frozen=True, kw_only=True):
    """Put an emoji to a message, or take it away again."""

    op = "react"
    log: LogName
    seq: UInt
    emoji: Emoji
    on: bool = True
    nonce: Nonce


class Search(Command, frozen=True, kw_only=True):
    """Find messages by their words in all logs that one may read, newest first."""

    op = "search"
    query: Annotated[str, Meta(min_length=1, max_length=limits.QUERY_LENGTH)]
    log: LogName | None = None
    sender: Name | None = None
    before: UInt | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.SEARCH_PAGE)] = limits.SEARCH_PAGE


class Typing(Command, frozen=True, kw_only=True):
    """Let a room, or one person, see that one is writing; it is forgotten after `TYPING_S`."""

    op = "typing"
    talk: Talk
    on: bool = True


class Mark(Command, frozen=True, kw_only=True):
    """Note how far a conversation was read, or what of it one wants to be told; for all of one's sessions."""

    op = "mark"
    talk: Talk
    read: UInt | None = None
    notify: Notify | None = None


class SetStatus(Command, frozen=True, kw_only=True):
    """Say whether one may be disturbed, with a few words."""

    op = "status"
    status: Status
    note: Note = ""


class History(Command, frozen=True, kw_only=True):
    """Read a log: entries with `after` < seq < `before`, oldest first.

    With `after` the page is counted from there; without it, the newest `limit` entries below `before`.
    """

    op = "history"
    log: LogName
    after: UInt | None = None
    before: UInt | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.HISTORY_PAGE)] = limits.HISTORY_PAGE


class Keys(Command, frozen=True, kw_only=True):
    """List the keys that log in to one's account without a password."""

    op = "keys"


class KeyAdd(Command, frozen=True, kw_only=True):
    """Let whoever holds the secret half of a key log in to one's account with it, for what its scopes say."""

    op = "key-add"
    key: PublicKey
    name: Annotated[str, Meta(min_length=1, max_length=limits.CLIENT_LENGTH)]
    scopes: Scopes


class KeyRevoke(Command, frozen=True, kw_only=True):
    """Forget a key of one's account, and cut off who uses it."""

    op = "key-revoke"
    key: UInt
    """`KeyView.id`."""


class StoreGet(Command, frozen=True, kw_only=True):
    """Read what one's account keeps on the broker under a key."""

    op = "store-get"
    key: StoreKey


class StorePut(Command, frozen=True, kw_only=True):
    """Keep something on the broker under a key, in the place of what was there; nil forgets it."""

    op = "store-put"
    key: StoreKey
    value: Annotated[bytes, Meta(max_length=limits.STORE_VALUE_BYTES)] | None


class StoreList(Command, frozen=True, kw_only=True):
    """List the keys under which one's account keeps something, in order, a page at a time."""

    op = "store-list"
    prefix: Annotated[str, Meta(max_length=limits.STORE_KEY_LENGTH)] = ""
    after: Annotated[str, Meta(max_length=limits.STORE_KEY_LENGTH)] = ""
    limit: Page = limits.LIST_PAGE


# What replies and events are made of.


class RoomView(Struct, kw_only=True):
    """A room as one account sees it."""

    id: UInt
    name: str
    kept: bool
    """Outlives its creator's presence."""
    private: bool
    """Only whoever was invited may know of it."""
    open: bool
    """Members of this private room read its whole log, not only what was said since they joined."""
    subject: str
    creator: str | None
    """None for the default room."""
    head: UInt
    """The `seq` of the log's last entry, 0 if it has none."""
    online: UInt
    """Members who are present."""
    joined: bool
    """Whether this account is a member."""
    since: UInt
    """For a member: entries with `seq` above this may be read."""
    hidden: bool = False
    read: UInt = 0
    """The `seq` up to which this account has read."""
    notify: Notify | None = None
    """What this account wants to be told of; None if it never said."""
    moderators: list[str] = []
    """Logins of those who keep order there besides whoever made the room."""


class UserView(Struct, kw_only=True):
    """A user as everybody may see them."""

    login: str
    first_names: str
    surnames: str
    online: bool
    status: Status = "available"
    bot: bool = False
    """Whether it is a program."""


class MemberView(Struct, kw_only=True):
    """A member of a room."""

    login: str
    online: bool
    status: Status = "available"
    bot: bool = False
    """Whether it is a program."""


class TalkView(Struct, kw_only=True):
    """A private conversation, as one of the two has left it."""

    talk: Talk
    read: UInt
    """The `seq` in one's own inbox up to which it was read."""
    notify: Notify | None = None


class SessionView(Struct, kw_only=True):
    """One of an account's sessions."""

    id: UInt
    client: str
    created: UInt
    seen: UInt
    online: bool
    current: bool
    """Whether it is the session that asks."""


class KeyView(Struct, kw_only=True):
    """A key that logs in to an account without a password."""

    id: UInt
    name: str
    key: bytes
    """Its public half."""
    scopes: list[str]
    created: UInt
    seen: UInt | None
    """When it was last used; None if never."""
    online: bool


class SessionState(Struct, kw_only=True):
    """Where a logged-in session stands."""

    login: str
    operator: bool
    current: str
    """The room this session is in, for the commands that know one room."""
    rooms: list[RoomView]
    """The rooms the account is a member of."""
    inbox: UInt
    """The `seq` of the inbox's last entry."""
    talks: list[TalkView] = []
    """The private conversations that were marked, those marked last first; at most `TALKS`."""
    status: Status = "available"
    note: str = ""
    bot: bool = False
    """Whether the account is a program's."""
    scopes: list[str] | None = None
    """What the key of this session may be used for; None for all that the account may do."""
    online: bool = True
    """Whether the account is present, by any of its sessions."""


# Events, which are broadcast. Those with `seq` are entries of a log and are what `history` returns.


class Event(Struct, tag_field="kind", kw_only=True):
    """Something that is announced on a topic."""


class Entry(Event, kw_only=True):
    """An entry of a log: `prev` is the `seq` before it in the same log, 0 for the first."""

    seq: UInt
    prev: UInt
    time: UInt


class ReactionView(Struct, kw_only=True):
    """One emoji under a message."""

    emoji: str
    count: UInt
    mine: bool
    """Whether the account that reads is among them."""


class Said(Entry, kw_only=True, omit_defaults=True):
    """What both kinds of messages have in common.

    `history` shows a message as it is now; what changed it since stands further down in the log, too. A change whose
    `seq` is not above `changed` is in it already.
    """

    sender: str
    text: str
    nonce: bytes
    reply_to: UInt = 0
    """The `seq` of the message in the same log that this one answers; 0 for none."""
    edited: UInt = 0
    """When the text was changed last; 0 if never."""
    retracted: bool = False
    """Taken back: the text is empty, and there are no reactions."""
    reactions: list[ReactionView] = []
    changed: UInt = 0
    """The `seq` of the last change that is in this; 0 for none."""
    hops: UInt = 0
    """How many programs have answered one another up to here: 0 for what a person said, 1 and up for a program's."""


class Message(Said, tag="message", kw_only=True):
    """Somebody said something in the room."""


class DirectMessage(Said, tag="direct", kw_only=True):
    """A private message, in the sender's inbox and in the recipient's."""

    to: str


class Edited(Entry, tag="edit", kw_only=True):
    """The text of the message at `target` is another now; in `history` the text as it is now, empty if retracted."""

    sender: str
    target: UInt
    text: str
    nonce: bytes


class Retracted(Entry, tag="retract", kw_only=True):
    """The message at `target` was taken back, by whoever wrote it or has a say in the room."""

    sender: str
    target: UInt
    nonce: bytes


class Reacted(Entry, tag="reaction", kw_only=True):
    """Somebody put an emoji to the message at `target`, or took it away."""

    sender: str
    target: UInt
    emoji: str
    on: bool
    count: UInt
    """How many have that emoji there then; in `history`, now."""
    nonce: bytes


class Invited(Entry, tag="invited", kw_only=True):
    """In an inbox: `sender` lets this account into the private room `room`."""

    sender: str
    room: str


class Change(Struct, kw_only=True, omit_defaults=True):
    """One member's change in a room."""

    login: str
    change: Literal["joined", "left", "online", "offline", "status"]
    reason: Literal["", "left", "exit", "gone", "removed", "disabled"] = ""
    """Why somebody left: by themselves, with their last session, with its connection, by another's hand, disabled."""
    status: Status = "available"
    """What somebody says of themselves, where that has changed, or where they appear."""
    bot: bool = False
    """Whether it is a program, where somebody appears."""


class Roster(Event, tag="roster", kw_only=True):
    """Who came, went, appeared or vanished in the room since the last such event, in order."""

    time: UInt
    changes: list[Change]
    online: UInt


class SubjectChanged(Event, tag="subject", kw_only=True):
    """The room has a new topic line."""

    time: UInt
    by: str
    subject: str


class ModeratorsChanged(Event, tag="moderators", kw_only=True):
    """Others keep order in the room now."""

    time: UInt
    by: str
    moderators: list[str]


class Deleted(Event, tag="deleted", kw_only=True):
    """The room is no more; its members who are in no other room are in the default one."""

    time: UInt
    id: UInt
    by: str
    reason: Literal["deleted", "creator-gone"]


class JoinedRoom(Event, tag="joined-room", kw_only=True, omit_defaults=True):
    """On an inbox, or on the beacon of a session that may not hear it: this account is now a member of a room."""

    room: RoomView
    session: str = field(default="", name="as")
    """On a gateway's beacon, which of its sessions is told."""


class LeftRoom(Event, tag="left-room", kw_only=True, omit_defaults=True):
    """On an inbox, or on a beacon as `JoinedRoom`: this account is no longer a member of a room."""

    id: UInt
    name: str
    reason: Literal["left", "removed", "deleted", "creator-gone"]
    session: str = field(default="", name="as")


class WritesNow(Event, tag="typing", kw_only=True):
    """On a room, or on the inbox of the other person: somebody writes, or no longer does."""

    login: str
    on: bool


class Marked(Event, tag="mark", kw_only=True, omit_defaults=True):
    """On an inbox, or a room's on a beacon as `JoinedRoom`: one of this account's sessions has marked a conversation.

    This is how it stands now.
    """

    talk: Talk
    read: UInt
    notify: Notify | None
    session: str = field(default="", name="as")


class Live(Event, tag="live", kw_only=True):
    """On a beacon: a subscription of this connection was granted; nothing after `head` is missed from here on."""

    log: str
    id: UInt
    """The room's id; 0 for an inbox and for the beacon itself."""
    head: UInt
    run: str


class Ended(Event, tag="ended", kw_only=True):
    """On a beacon: the session is no longer bound to its account."""

    reason: Literal["logout", "revoked", "password", "disabled"]
    session: str = field(default="", name="as")
    """Which of a gateway's sessions it was; empty for everybody else."""


class ClosingSoon(Event, tag="closing", kw_only=True):
    """On a beacon: the broker is shutting down; reconnecting is worth while."""

    time: UInt


AnyEvent = (
    Message
    | DirectMessage
    | Edited
    | Retracted
    | Reacted
    | Invited
    | Roster
    | SubjectChanged
    | ModeratorsChanged
    | Deleted
    | JoinedRoom
    | LeftRoom
    | WritesNow
    | Marked
    | Live
    | Ended
    | ClosingSoon
)
AnyEntry = Message | DirectMessage | Edited | Retracted | Reacted | Invited


# Replies. `id` and `ok` stand in every one of them; the dispatcher fills in the id.


class Reply(Struct, kw_only=True):
    """The answer to a request that was granted; ops that return nothing answer with this class itself."""

    id: UInt = 0
    ok: bool = True


class Welcome(Reply, kw_only=True):
    """The answer to `hello`."""

    server: str
    version: UInt
    run: str
    """A new random value each time the broker starts."""
    time: UInt
    beacon: str
    """The log name of this session's beacon."""
    default_room: str
    registration: Literal["open", "closed"]
    session: SessionState | None
    """None if the session is bound to no account."""


class LoggedIn(Reply, kw_only=True):
    """The answer to `register` and `login`."""

    session: SessionState
    token: bytes | None = None
    """If asked for with `remember`, or if a token was used: what logs in the next process, once."""


class Pong(Reply, kw_only=True):
    """The answer to `ping`."""

    time: UInt
    run: str
    heads: dict[str, int]
    """The last `seq` of the inbox and of each joined room, by the log's name."""


class SessionList(Reply, kw_only=True):
    sessions: list[SessionView]


class ProfileView(Reply, kw_only=True):
    login: str
    first_names: str
    surnames: str
    created: UInt
    online: bool
    age: int | None = None
    """None unless the account is one's own, or one is the operator."""
    gender: Gender | None = None
    """As `age`."""
    status: Status = "available"
    note: str = ""
    """What they say of themselves, in a few words."""
    seen: UInt | None = None
    """When they were last here; None if they hide it."""
    show_seen: bool | None = None
    """Whether others may see that; None unless the account is one's own."""
    bot: bool = False
    """Whether it is a program."""


class UserList(Reply, kw_only=True):
    users: list[UserView]
    more: bool


class RoomList(Reply, kw_only=True):
    rooms: list[RoomView]
    more: bool


class RoomReply(Reply, kw_only=True):
    """The answer to `create`, `join` and `enter`."""

    room: RoomView
    current: str


class Left(Reply, kw_only=True):
    """The answer to `leave`, `delete`: where this session is now."""

    current: str


class MemberList(Reply, kw_only=True):
    members: list[MemberView]
    more: bool


class Sent(Reply, kw_only=True):
    """The answer to `send`, `direct` and what changes a message: the entry is on disk, at this place in the log."""

    seq: UInt
    time: UInt


class Entries(Reply, kw_only=True):
    """The answer to `history`."""

    entries: list[AnyEntry]
    more: bool
    """Whether the log holds further entries in the range that was asked for."""


class Hit(Struct, kw_only=True):
    """A message that was found, and where."""

    log: LogName
    entry: Message | DirectMessage


class Found(Reply, kw_only=True):
    """The answer to `search`."""

    hits: list[Hit]
    more: bool
    """Whether there are older ones: ask again with `before`."""


class KeyList(Reply, kw_only=True):
    keys: list[KeyView]


class KeyAdded(Reply, kw_only=True):
    """The answer to `key-add`."""

    key: KeyView


class Stored(Reply, kw_only=True):
    """The answer to `store-get`: None if nothing is kept under that key."""

    value: bytes | None


class StoreKeys(Reply, kw_only=True):
    """The answer to `store-list`."""

    keys: list[str]
    more: bool
    bytes: UInt
    """What the account keeps in all: keys in UTF-8, and values."""


Ops = dict[str, tuple[type[Command], type[Reply]]]
"""Operations by name: the class of the command and the class of the reply."""

OPS: Ops = {
    command.op: (command, reply)
    for command, reply in (
        (Hello, Welcome),
        (Register, LoggedIn),
        (Login, LoggedIn),
        (Logout, Reply),
        (Bye, Reply),
        (Ping, Pong),
        (Sessions, SessionList),
        (Revoke, Reply),
        (Password, Reply),
        (Profile, ProfileView),
        (UpdateProfile, ProfileView),
        (Users, UserList),
        (Rooms, RoomList),
        (Create, RoomReply),
        (Join, RoomReply),
        (Enter, RoomReply),
        (Leave, Left),
        (Delete, Left),
        (Hide, Reply),
        (Members, MemberList),
        (Invite, Reply),
        (Remove, Reply),
        (Moderate, Reply),
        (Subject, Reply),
        (Send, Sent),
        (Direct, Sent),
        (Edit, Sent),
        (Retract, Sent),
        (React, Sent),
        (Search, Found),
        (Typing, Reply),
        (Mark, Reply),
        (SetStatus, Reply),
        (History, Entries),
        (Keys, KeyList),
        (KeyAdd, KeyAdded),
        (KeyRevoke, Reply),
        (StoreGet, Stored),
        (StorePut, Reply),
        (StoreList, StoreKeys),
    )
}
"""Every operation of the protocol."""
