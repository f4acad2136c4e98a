"""The bounds fit together: what may be said fits into the frames in which it travels."""

from __future__ import annotations

from pathlib import Path

from common import codec, limits, messages
from tests.support.bad_input import VALID, request

WIDE = "\U0001f980"
NUMBER = 2**63 - 1


def test_every_bound_has_its_reason() -> None:
    lines = Path(limits.__file__).read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if ": Final" in line:
            assert lines[number + 1].startswith('"""'), line


def test_the_largest_request_fits() -> None:
    name = WIDE * 4 * limits.NAME_LENGTH
    largest = {
        "send": {"room": name, "text": WIDE * limits.TEXT_LENGTH},
        "register": {
            "login": name,
            "password": WIDE * limits.PASSWORD_LENGTH[1],
            "first_names": WIDE * limits.PERSON_NAME_LENGTH,
            "surnames": WIDE * limits.PERSON_NAME_LENGTH,
        },
        "create": {"room": name, "subject": WIDE * limits.SUBJECT_LENGTH},
    }
    for op, fields in largest.items():
        frame = request(op, {**VALID[op], **fields}, **{"as": WIDE * limits.GATEWAY_SESSION_LENGTH})
        assert len(frame) <= limits.REQUEST_BYTES
        assert codec.decode_request(frame)


def room(number: int) -> messages.RoomView:
    return messages.RoomView(
        id=NUMBER,
        name=f"{number:04}" + WIDE * (limits.NAME_LENGTH - 4),
        kept=True,
        private=True,
        open=True,
        subject=WIDE * limits.SUBJECT_LENGTH,
        creator=WIDE * limits.NAME_LENGTH,
        head=NUMBER,
        online=NUMBER,
        joined=True,
        since=NUMBER,
    )


def test_the_largest_lists_fit_into_a_reply() -> None:
    user = messages.UserView(
        login=WIDE * limits.NAME_LENGTH,
        first_names=WIDE * limits.PERSON_NAME_LENGTH,
        surnames=WIDE * limits.PERSON_NAME_LENGTH,
        online=True,
    )
    session = messages.SessionState(
        login=WIDE * limits.NAME_LENGTH,
        operator=True,
        current=WIDE * limits.NAME_LENGTH,
        rooms=[room(number) for number in range(limits.ROOMS_JOINED)],
        inbox=NUMBER,
    )
    largest: list[messages.Reply] = [
        messages.UserList(users=[user] * limits.LIST_PAGE, more=True),
        messages.RoomList(rooms=[room(number) for number in range(limits.LIST_PAGE)], more=True),
        messages.LoggedIn(session=session),
        messages.Pong(
            time=NUMBER, run="x" * 64, heads={room(number).name: NUMBER for number in range(limits.ROOMS_JOINED + 1)}
        ),
    ]
    for reply in largest:
        frame = codec.encode_reply(reply)
        assert len(frame) <= limits.REPLY_BYTES
        assert codec.decode_reply(frame, {0: type(reply)}) == (0, reply)


def the_largest_message(text: int) -> messages.DirectMessage:
    emoji = messages.ReactionView(emoji=WIDE * limits.EMOJI_LENGTH, count=NUMBER, mine=False)
    return messages.DirectMessage(
        seq=NUMBER,
        prev=NUMBER,
        time=NUMBER,
        sender=WIDE * limits.NAME_LENGTH,
        to=WIDE * limits.NAME_LENGTH,
        text="x" * text,
        nonce=bytes(limits.NONCE_BYTES),
        reply_to=NUMBER,
        edited=NUMBER,
        reactions=[emoji] * limits.REACTIONS,
        changed=NUMBER,
    )


def test_the_largest_page_of_history_fits_into_a_reply() -> None:
    # A page ends with the entry that brings its texts to HISTORY_BYTES or beyond.
    entry = the_largest_message((limits.HISTORY_BYTES + limits.TEXT_BYTES) // limits.HISTORY_PAGE)
    page = messages.Entries(entries=[entry] * limits.HISTORY_PAGE, more=True)
    assert len(codec.encode_reply(page)) <= limits.REPLY_BYTES


def test_the_largest_page_of_a_search_fits_into_a_reply() -> None:
    entry = the_largest_message((limits.HISTORY_BYTES + limits.TEXT_BYTES) // limits.SEARCH_PAGE)
    hit = messages.Hit(log=WIDE * (limits.NAME_LENGTH + 1), entry=entry)
    assert len(codec.encode_reply(messages.Found(hits=[hit] * limits.SEARCH_PAGE, more=True))) <= limits.REPLY_BYTES
