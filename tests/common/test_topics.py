"""Topics: no topic begins another, and whatever is split comes from a frame with a NUL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import names, topics
from common.errors import BadName
from common.limits import NAME_LENGTH, SUBSCRIPTION_BYTES

NAMES = st.text(min_size=1, max_size=NAME_LENGTH).filter(lambda text: "\0" not in text)


@given(NAMES, NAMES)
def test_no_topic_begins_another(one: str, other: str) -> None:
    assert one == other or not topics.topic(one).startswith(topics.topic(other))


@given(NAMES, st.binary())
def test_a_frame_is_divided_at_its_first_nul(log: str, body: bytes) -> None:
    assert topics.split(topics.topic(log) + body) == (log, body)


@given(st.binary())
def test_any_frame_is_divided_or_refused(frame: bytes) -> None:
    try:
        log, body = topics.split(frame)
    except ValueError:
        return
    assert topics.topic(log) + body == frame


@given(st.binary(min_size=topics.BEACON_BYTES, max_size=topics.BEACON_BYTES))
def test_a_beacon_is_one(secret: bytes) -> None:
    assert topics.is_beacon(topics.topic(topics.beacon(secret)))


@pytest.mark.parametrize("mark", [topics.INBOX, topics.BEACON, topics.END.decode()])
def test_no_name_is_taken_for_an_inbox_or_a_beacon(mark: str) -> None:
    for name in (f"{mark}ana", f"a{mark}", mark):
        with pytest.raises(BadName):
            names.parse(name)


def test_the_longest_topic_fits_into_a_subscription() -> None:
    longest = topics.topic(topics.inbox("\U00020000" * NAME_LENGTH))
    assert names.parse("\U00020000" * NAME_LENGTH)
    assert 1 + len(longest) <= SUBSCRIPTION_BYTES
