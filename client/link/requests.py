"""Every request as a method call with its own reply type. Must not know how a request travels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, overload

from common import limits
from common import messages as m

if TYPE_CHECKING:
    Logins = m.Register | m.Login
    Posts = m.Send | m.Direct | m.Edit | m.Retract | m.React
    RoomOps = m.Create | m.Join | m.Enter
    Plain = m.Logout | m.Bye | m.Revoke | m.Password | m.Hide | m.Invite | m.Remove | m.Moderate | m.Subject
    Told = m.KeyRevoke | m.Typing | m.Mark | m.SetStatus


E = TypeVar("E", bound=m.Entry)


class Request(Protocol):
    """`await request(command)` gives the reply that belongs to the command's class."""

    @overload
    async def __call__(self, command: m.Hello, *, timeout: float = ...) -> m.Welcome: ...
    @overload
    async def __call__(self, command: Logins, *, timeout: float = ...) -> m.LoggedIn: ...
    @overload
    async def __call__(self, command: m.Ping, *, timeout: float = ...) -> m.Pong: ...
    @overload
    async def __call__(self, command: m.Sessions, *, timeout: float = ...) -> m.SessionList: ...
    @overload
    async def __call__(self, command: m.Profile | m.UpdateProfile, *, timeout: float = ...) -> m.ProfileView: ...
    @overload
    async def __call__(self, command: m.Users, *, timeout: float = ...) -> m.UserList: ...
    @overload
    async def __call__(self, command: m.Rooms, *, timeout: float = ...) -> m.RoomList: ...
    @overload
    async def __call__(self, command: RoomOps, *, timeout: float = ...) -> m.RoomReply: ...
    @overload
    async def __call__(self, command: m.Leave | m.Delete, *, timeout: float = ...) -> m.Left: ...
    @overload
    async def __call__(self, command: m.Members, *, timeout: float = ...) -> m.MemberList: ...
    @overload
    async def __call__(self, command: Posts, *, timeout: float = ...) -> m.Sent: ...
    @overload
    async def __call__(self, command: m.Search, *, timeout: float = ...) -> m.Found: ...
    @overload
    async def __call__(self, command: m.History, *, timeout: float = ...) -> m.Entries: ...
    @overload
    async def __call__(self, command: m.Keys, *, timeout: float = ...) -> m.KeyList: ...
    @overload
    async def __call__(self, command: m.KeyAdd, *, timeout: float = ...) -> m.KeyAdded: ...
    @overload
    async def __call__(self, command: m.StoreGet, *, timeout: float = ...) -> m.Stored: ...
    @overload
    async def __call__(self, command: m.StoreList, *, timeout: float = ...) -> m.StoreKeys: ...
    @overload
    async def __call__(self, command: Plain | Told, *, timeout: float = ...) -> m.Reply: ...
    @overload
    async def __call__(self, command: m.Command, *, timeout: float = ...) -> m.Reply: ...
    async def __call__(self, command: m.Command, *, timeout: float = ...) -> m.Reply:
        """Make a request. Raises the `ChatError` it is refused with, or `NoAnswer`."""


async def history(
    request: Request, log: str, before: int | None, after: int | None, limit: int, kinds: tuple[type[E], ...]
) -> list[E]:
    """Up to `limit` entries of some kinds of a log with `after` < seq < `before`, oldest first, in as many pages as it
    takes.

    With `after` they are counted from there; without it they are the newest below `before`.
    """
    found: list[E] = []
    size = min(limit, limits.HISTORY_PAGE)
    while (left := limit - len(found)) > 0:
        page = await request(m.History(log=log, after=after, before=before, limit=size))
        wanted = [entry for entry in page.entries if isinstance(entry, kinds)]
        if after is None:
            found[:0] = wanted[-left:]
        else:
            found.extend(wanted[:left])
        if not page.entries or not page.more:
            break
        if after is None:
            before = page.entries[0].seq
        else:
            after = page.entries[-1].seq
        if len(wanted) < len(page.entries):
            size = limits.HISTORY_PAGE  # there may be many of the other kinds, and one by one would take long
        else:
            size = max(1, min(limit - len(found), limits.HISTORY_PAGE))
    return found
