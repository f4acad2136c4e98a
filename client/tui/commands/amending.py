"""Commands about messages: answer one, say another in its place, take it back, put an emoji to it, send it again.

Which message is meant is said with a caret: `^12` is the one of that number (`/last` shows the numbers), `^ana` the
last that ana wrote, `^` the last there is. Each takes the desk, its arguments by name and its flags
(`client.tui.commands.ports.Action`). Must not know the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from client.language import _, ngettext, sentence
from client.tui.commands.ports import Desk
from client.tui.model.conversations import Conversation
from client.tui.model.records import Record
from client.tui.text import emoji
from client.tui.view.render import clock
from common import names, texts, topics
from common.errors import ChatError, NoSuchMessage
from common.limits import EMOJI_LENGTH

Values = Mapping[str, str]
Flags = frozenset[str]

LAST: Final = 10
"""Messages that `/last` shows if it is not told how many."""
LOOKED_THROUGH: Final = 100
"""Messages that are read in search of the one that is meant."""
SHOWN: Final = 200
"""Messages that it shows at the most."""


def log_of(desk: Desk, talk: Conversation) -> str:
    """Where the messages of a conversation stand: in the room's log, or in one's own inbox."""
    return topics.inbox(desk.model.me) if talk.private else talk.log


def last(talk: Conversation, *, mine: bool | None = None, by: str = "") -> Record | None:
    """The last message that is sent and not taken back: one's own or not, or somebody's."""
    for index in range(len(talk.shown) - 1, -1, -1):
        record = talk.shown[index]
        if record.kind == "message" and record.seq and not record.retracted:
            if (mine is None or record.mine == mine) and (not by or names.key(record.sender) == names.key(by)):
                return record
    return None


def on_its_way(talk: Conversation) -> bool:
    """Whether one's own last message is not acknowledged yet: nothing can be done to it, nor is an older one meant."""
    return talk.records.pending > 0


async def meant(desk: Desk, values: Values, *, mine: bool | None = None) -> Record | None:
    """The message that a command is about; None, and said so, if there is none."""
    talk, given = desk.model.here, values.get("message", "^").removeprefix("^")
    if not given:
        if mine and on_its_way(talk) and not await desk.settled():
            desk.complain(_("That message is still on its way; try again when it is sent."))
            return None
        found = last(talk, mine=mine) or await _further(desk, mine=mine)
        if found is None:
            desk.complain(_("There is no message of yours here.") if mine else _("There is no message here."))
        return found
    if given.isdigit():
        try:
            return next(filter(None, (records.said_at(int(given)) for records in talk.scrollbacks)), None) or (
                await desk.around(int(given))
            )
        except NoSuchMessage:
            desk.complain(_("There is no message ^{number} here; /last shows the numbers.").format(number=given))
            return None
    found = last(talk, by=given.removeprefix("@")) or await _further(desk, by=given.removeprefix("@"))
    if found is None:
        desk.complain(_("There is no message of {login} here.").format(login=given))
    return found


async def _further(desk: Desk, *, mine: bool | None = None, by: str = "") -> Record | None:
    """The same, looked for in what was said before this program began."""
    await desk.older(LOOKED_THROUGH)
    return last(desk.model.here, mine=mine, by=by)


def failed(talk: Conversation) -> list[Record]:
    """One's own messages that the broker did not take."""
    return [talk.records[i] for i in range(len(talk.records)) if talk.records[i].fate == "failed"]


async def reply(desk: Desk, values: Values, flags: Flags) -> None:
    """`/reply`: say something in answer to a message."""
    record = await meant(desk, values, mine=None if "message" in values else False)
    if record is None:
        return
    if "text" in values:
        desk.say(desk.model.current, values["text"], record.seq)
    elif desk.screen is not None:
        desk.screen.compose("", answering=record)
    else:
        desk.complain(_("Write the answer behind it, for example: /reply I think so too"))


async def edit(desk: Desk, values: Values, flags: Flags) -> None:
    """`/edit`: say something else in the place of one's message."""
    record = await meant(desk, values, mine=True)
    if record is None:
        return
    if not record.mine:
        desk.complain(_("That message is not yours."))
    elif "text" in values:
        replace(desk, desk.model.here, record, values["text"])
    elif desk.screen is not None:
        desk.screen.compose(record.text, editing=record)
    else:
        desk.complain(_("Write the new text behind it, for example: /edit I meant Tuesday"))


async def retract(desk: Desk, values: Values, flags: Flags) -> None:
    """`/retract`: take a message back."""
    record = await meant(desk, values, mine=True)
    if record is not None:
        take_back(desk, desk.model.here, record)


async def react(desk: Desk, values: Values, flags: Flags) -> None:
    """`/react`: put an emoji to a message; the same once more takes it away."""
    record = await meant(desk, values, mine=None if "message" in values else False)
    if record is not None:
        put(desk, desk.model.here, record, values["emoji"])


async def resend(desk: Desk, values: Values, flags: Flags) -> None:
    """`/resend`: send once more what the broker did not take."""
    records = failed(desk.model.here)
    for record in records:
        send_again(desk, desk.model.here, record)
    if not records:
        desk.tell(_("Everything you wrote here was sent, or is on its way."))


async def last_ones(desk: Desk, values: Values, flags: Flags) -> None:
    """`/last`: the last messages with their numbers."""
    wanted = min(int(values.get("number", LAST)), SHOWN)
    shown = desk.model.here.shown
    if len(shown) < wanted:
        await desk.older(wanted)
    found: list[str] = []
    for index in range(len(shown) - 1, -1, -1):
        if len(found) >= wanted:
            break
        if shown[index].kind == "message" and shown[index].seq:
            found.append(numbered(shown[index]))
    many = ngettext(
        "The last message here, with its number:", "The last {n} messages here, with their numbers:", len(found)
    )
    desk.tell(*([many.format(n=len(found)), *reversed(found)] if found else [_("There is no message here.")]))


def numbered(record: Record) -> str:
    """A message with the number by which commands know it, in one line."""
    text = _("(taken back)") if record.retracted else " ".join(record.text.split())
    marks = "".join(f" {each.emoji}×{each.count}" for each in record.reactions)
    return f"^{record.seq} {clock(record.time)} {record.sender}: {text}{marks}"


def replace(desk: Desk, talk: Conversation, record: Record, text: str) -> bool:
    """Say something else in the place of one's message. Returns whether that is on its way."""
    if text == record.text:
        desk.tell(_("That is what it says already."))
        return True
    try:
        texts.check_text(text)
        sending = desk.chat.edit(log_of(desk, talk), record.seq, text)
    except ChatError as error:
        desk.complain(sentence(error))
        return False
    desk.model.wanted(talk.log, _("Not changed: {why}"), sending.nonce, text)
    desk.sent(sending)
    desk.changed()
    return True


def take_back(desk: Desk, talk: Conversation, record: Record) -> None:
    """Take a message back; one that was never sent just goes."""
    if record.fate == "failed":
        talk.records.take_out({record.id})
    elif not desk.model.may_take_back(talk, record):
        desk.complain(_("That message is not yours, and neither is the room."))
    elif record.seq:
        try:
            sending = desk.chat.retract(log_of(desk, talk), record.seq)
        except ChatError as error:
            desk.complain(sentence(error))
            return
        desk.model.wanted(talk.log, _("Not taken back: {why}"), sending.nonce)
        desk.sent(sending)
    desk.changed()


def put(desk: Desk, talk: Conversation, record: Record, code: str) -> None:
    """Put an emoji to a message, or take one's own away again."""
    sign = emoji.sign(code)
    if sign.isascii() or len(sign) > EMOJI_LENGTH:
        desk.complain(_("{code} is no emoji; type a colon and some letters, as in :smile:").format(code=code))
        return
    on = not any(each.emoji == sign and each.mine for each in record.reactions)
    try:
        sending = desk.chat.react(log_of(desk, talk), record.seq, sign, on)
    except ChatError as error:
        desk.complain(sentence(error))
        return
    desk.model.wanted(talk.log, _("Not put there: {why}"), sending.nonce)
    desk.sent(sending)
    desk.changed()


def send_again(desk: Desk, talk: Conversation, record: Record) -> None:
    """Send a message that the broker did not take once more, as the newest."""
    if desk.say(talk.log, record.text, record.reply_to):
        talk.records.take_out({record.id})
