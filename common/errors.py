"""One tree of errors with one wire code each; `docs/PROTOCOL.md` lists them from here.

    ChatError                 what a peer may be told: a code, a sentence, perhaps a wait
      BadRequest              bad-request          the frame is not a request that this page describes
        UnknownOp             unknown-op           the op is not known here
        UnsupportedVersion    unsupported-version  no protocol version in common
      NotLoggedIn             not-logged-in        the op needs a login
      AlreadyLoggedIn         already-logged-in    this session belongs to an account; log out first
      WrongPassword           wrong-password       login and password (or token) do not belong together
      AccountDisabled         account-disabled     the operator has disabled the account
      RegistrationClosed      registration-closed  this broker takes no new accounts
      BadName                 bad-name             a login or room name outside the grammar
      NameTaken               name-taken           the name, or one that looks like it, is in use
      BadPassword             bad-password         a new password outside its bounds
      BadProfile              bad-profile          a field of the account outside its bounds
      BadText                 bad-text             an empty, too long or unprintable text
      NoSuchUser              no-such-user         no account of that login
      NoSuchRoom              no-such-room         no such room, or none that you may know of
      NoSuchLog               no-such-log          no log of that name that you may read
      NoSuchMessage           no-such-message      no message there that this can be done to
      NoSuchSession           no-such-session      none of your sessions has that number
      NoSuchKey               no-such-key          none of your keys has that number
      NotMember               not-member           the op needs membership of the room
      Forbidden               forbidden            the op is not yours to do
      DefaultRoom             default-room         the default room cannot be left, hidden or deleted
      TooMany                 too-many             a count is at its limit
      Loop                    loop                 programs have answered one another too often
      RateLimited             rate-limited         too often; try again after `retry_after` seconds
      Busy                    busy                 a queue is full; try again after `retry_after` seconds
      StorageFailed           storage-failed       the broker cannot write now; nothing was done
      Closing                 closing              the broker is shutting down
      Internal                internal             a fault of the broker; its log has the cause

Must not know how an error travels. A peer is told the sentence; the cause belongs in the log.
"""

from __future__ import annotations

from typing import ClassVar


class ChatError(Exception):
    """A refusal that a peer may be told.

    `code` is the wire code, constant per class; `message` a sentence for people that says what to do;
    `retry_after`, in seconds, is set where waiting helps. `remote` holds for one that arrived in a
    reply, with a code that is known here: its sentence is the other side's.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "The request was refused."

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        self.message = message or self.sentence
        self.retry_after = retry_after
        self.remote = False
        super().__init__(self.message)


class BadRequest(ChatError):
    code = "bad-request"
    sentence = "The request is malformed."


class UnknownOp(BadRequest):
    code = "unknown-op"
    sentence = "This broker does not know that operation."


class UnsupportedVersion(BadRequest):
    code = "unsupported-version"
    sentence = "Client and broker share no protocol version; update the older one."


class NotLoggedIn(ChatError):
    code = "not-logged-in"
    sentence = "Log in first."


class AlreadyLoggedIn(ChatError):
    code = "already-logged-in"
    sentence = "This session is logged in already; log out first."


class WrongPassword(ChatError):
    code = "wrong-password"
    sentence = "Login and password do not belong together."


class AccountDisabled(ChatError):
    code = "account-disabled"
    sentence = "This account is disabled; ask the operator."


class RegistrationClosed(ChatError):
    code = "registration-closed"
    sentence = "This broker takes no new accounts; ask the operator for one."


class BadName(ChatError):
    code = "bad-name"
    sentence = "A name is 1 to 32 letters, digits, '_', '-' or '.'."


class NameTaken(ChatError):
    code = "name-taken"
    sentence = "That name, or one that looks like it, is in use; choose another."


class BadPassword(ChatError):
    code = "bad-password"
    sentence = "A password has 8 to 256 characters."


class BadProfile(ChatError):
    code = "bad-profile"
    sentence = "A field of the account is out of bounds."


class BadText(ChatError):
    code = "bad-text"
    sentence = "The text is empty, too long, or holds control characters."


class NoSuchUser(ChatError):
    code = "no-such-user"
    sentence = "There is no user of that login."


class NoSuchRoom(ChatError):
    code = "no-such-room"
    sentence = "There is no such room."


class NoSuchLog(ChatError):
    code = "no-such-log"
    sentence = "There is no log of that name that you may read."


class NoSuchMessage(ChatError):
    code = "no-such-message"
    sentence = "There is no message there that this can be done to."


class NoSuchSession(ChatError):
    code = "no-such-session"
    sentence = "None of your sessions has that number."


class NoSuchKey(ChatError):
    code = "no-such-key"
    sentence = "None of your keys has that number."


class NotMember(ChatError):
    code = "not-member"
    sentence = "Join the room first."


class Forbidden(ChatError):
    code = "forbidden"
    sentence = "You may not do that."


class DefaultRoom(ChatError):
    code = "default-room"
    sentence = "The default room cannot be left, hidden or deleted."


class TooMany(ChatError):
    code = "too-many"
    sentence = "That would be one too many."


class Loop(ChatError):
    code = "loop"
    sentence = "Programs have answered one another too often; a person has to say something first."


class RateLimited(ChatError):
    code = "rate-limited"
    sentence = "Too many tries; wait a little."


class Busy(ChatError):
    code = "busy"
    sentence = "The broker is busy; try again."


class StorageFailed(ChatError):
    code = "storage-failed"
    sentence = "The broker cannot write to its disk now; nothing was done. Try again later."


class Closing(ChatError):
    code = "closing"
    sentence = "The broker is shutting down."


class Internal(ChatError):
    code = "internal"
    sentence = "The broker failed on this request; its log has the cause."


def _leaves(cls: type[ChatError]) -> list[type[ChatError]]:
    found = [cls]
    for child in cls.__subclasses__():
        found.extend(_leaves(child))
    return found


BY_CODE: dict[str, type[ChatError]] = {cls.code: cls for cls in _leaves(ChatError) if cls is not ChatError}
"""Every class by its wire code."""


def from_wire(code: str, message: str, retry_after: float | None = None) -> ChatError:
    """Rebuild an error that arrived in a reply; an unknown code becomes a plain `ChatError`."""
    error = BY_CODE.get(code, ChatError)(message, retry_after=retry_after)
    error.remote = code in BY_CODE
    return error
