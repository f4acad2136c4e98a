"""What senders mean: the body of each, and what is said in the room; and what of hostile bodies becomes of."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.web.webhooks import shapes
from client.web.webhooks.bounds import PARTS
from common import texts
from common.limits import TEXT_BYTES, TEXT_LENGTH

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

ALERTMANAGER = {
    "version": "4",
    "status": "firing",
    "receiver": "chat",
    "groupLabels": {"alertname": "HighLoad"},
    "commonAnnotations": {},
    "externalURL": "https://alerts.example.org",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighLoad", "instance": "db1"},
            "annotations": {"summary": "load is 40"},
        },
        {"status": "resolved", "labels": {"alertname": "HighLoad"}, "annotations": {"description": "load is 2"}},
        {"status": "firing", "labels": {}, "annotations": {}},
    ],
}
GITHUB = {"repository": {"full_name": "ana/web"}, "sender": {"login": "ana"}}

# What is sent: the event a forge names, the body, and what is said of it.
SENDERS: dict[str, tuple[str, Any, str]] = {
    "slack": ("", {"text": "build 7 is green"}, "build 7 is green"),
    "slack, named": ("", {"text": "done", "username": "CI", "channel": "#x", "icon_emoji": ":x:"}, "CI: done"),
    "slack, links": (
        "",
        {"text": "see <https://ci.example.org/7|build 7> of <https://x.example.org>, a &lt; b &amp;&amp; c"},
        "see build 7 (https://ci.example.org/7) of https://x.example.org, a < b && c",
    ),
    "slack, attachments": (
        "",
        {
            "text": "deployed",
            "attachments": [
                {"pretext": "to", "title": "prod", "title_link": "https://p.example.org", "text": "in 3 s"},
                {"fallback": "only this", "color": "good"},
                {"fallback": "not this", "text": "but this", "fields": [{"title": "took", "value": 3}]},
            ],
        },
        "deployed\nto\nprod (https://p.example.org)\nin 3 s\nonly this\nbut this\ntook: 3",
    ),
    "slack, blocks": (
        "",
        {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Head"}},
                {"type": "divider"},
                {"type": "section", "fields": [{"type": "mrkdwn", "text": "one"}, {"type": "mrkdwn", "text": "two"}]},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
            ]
        },
        "Head\none\ntwo\nsmall",
    ),
    "mattermost": ("", {"text": "### hola\n| a | b |", "username": "bot"}, "bot: ### hola\n| a | b |"),
    "discord": (
        "",
        {
            "content": "new <b>",
            "username": "feed",
            "embeds": [
                {"title": "A post", "url": "https://b.example.org", "description": "of mine"},
                {"fields": [{"name": "n", "value": "v"}]},
            ],
        },
        "feed: new <b>\nA post (https://b.example.org)\nof mine\nn: v",
    ),
    "alertmanager": (
        "",
        ALERTMANAGER,
        "[FIRING:3] HighLoad\n- HighLoad db1: load is 40\n- resolved: HighLoad: load is 2\n- an alert\n"
        "https://alerts.example.org",
    ),
    "grafana": (
        "",
        {**ALERTMANAGER, "title": "[FIRING:1] High load", "message": "**Firing**\n\nload", "state": "alerting"},
        "[FIRING:1] High load\n**Firing**\n\nload",
    ),
    "old grafana": (
        "",
        {"title": "[Alerting] load", "message": "too high", "ruleUrl": "https://g.example.org", "state": "alerting"},
        "[Alerting] load\ntoo high\nhttps://g.example.org",
    ),
    "github push": (
        "push",
        {
            **GITHUB,
            "ref": "refs/heads/main",
            "commits": [{"id": "0123456789abcdef", "message": "Say more\n\nBecause."}],
            "compare": "https://github.com/c",
        },
        "ana pushed 1 commit to main of ana/web\n- 01234567 Say more\nhttps://github.com/c",
    ),
    "github branch gone": (
        "push",
        {**GITHUB, "ref": "refs/heads/old", "deleted": True},
        "ana deleted old of ana/web",
    ),
    "github pull request": (
        "pull_request",
        {
            **GITHUB,
            "action": "closed",
            "pull_request": {"number": 5, "title": "More", "merged": True, "html_url": "https://github.com/5"},
        },
        "ana merged pull request #5 of ana/web: More\nhttps://github.com/5",
    ),
    "gitea issue": (
        "issues",
        {**GITHUB, "action": "opened", "issue": {"number": 6, "title": "Broken", "html_url": "https://g.example/6"}},
        "ana opened issue #6 of ana/web: Broken\nhttps://g.example/6",
    ),
    "github comment": (
        "issue_comment",
        {**GITHUB, "action": "created", "issue": {"number": 6}, "comment": {"body": "me  too\n", "html_url": "u"}},
        "ana commented on #6 of ana/web: me too\nu",
    ),
    "github release": (
        "release",
        {**GITHUB, "action": "published", "release": {"tag_name": "v1", "html_url": "u"}},
        "ana published the release v1 of ana/web\nu",
    ),
    "github run": (
        "workflow_run",
        {
            **GITHUB,
            "action": "completed",
            "workflow_run": {"name": "CI", "head_branch": "main", "conclusion": "failure", "html_url": "u"},
        },
        "CI on main of ana/web: failure\nu",
    ),
    "github ping": ("ping", {**GITHUB, "zen": "Keep it logically awesome."}, "ana/web tells its events here now"),
    "github, something else": ("star", {**GITHUB, "action": "created"}, "ana: star created in ana/web"),
    "a number": ("", {"text": 7}, "7"),
    "a text alone": ("", "hola", "hola"),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_each_sender_is_understood(sender: str) -> None:
    event, body, said = SENDERS[sender]
    as_json = json.dumps(body).encode()
    assert shapes.read(as_json, JSON, event).messages() == [said]
    assert shapes.read(urlencode({"payload": as_json}).encode(), FORM, event).messages() == [said]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"text=hola+a+todos&username=ana", FORM, "ana: hola a todos"),
        (b"content=%C3%B1", FORM, "ñ"),
        (b'{"text": "curl says that this is a form"}', FORM, "curl says that this is a form"),
        (b'{"text": "no type"}', "", "no type"),
        (b'{"text": "of its own"}', "application/vnd.x+json", "of its own"),
        (b"just text\r\n", "text/plain", "just text"),
        (b'\xef\xbb\xbf{"text": "with a mark of the byte order"}', JSON, "with a mark of the byte order"),
    ],
)
def test_forms_and_texts_are_understood(body: bytes, kind: str, said: str) -> None:
    assert shapes.read(body, kind).messages() == [said]


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"{", JSON, "no JSON"),
        (b"[" * 100_000, JSON, "no JSON"),
        (b"[1]", JSON, "no object"),
        (b"{}", JSON, "no text"),
        (b'{"text": {"no": 1}}', JSON, "no text"),
        (b'{"text": " \\u200b "}', JSON, "empty"),
        (b'{"text": "", "username": "ana"}', JSON, "no text"),
        (b"\xff", JSON, "no UTF-8"),
        (b"hola", FORM, "no field payload"),
        (b"&".join([b"a=b"] * 51), FORM, "at most 50 fields"),
        (b"x", "multipart/form-data", "expected application/json"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(body: bytes, kind: str, sentence: str) -> None:
    with pytest.raises(shapes.Unreadable, match=sentence):
        shapes.read(body, kind).messages()


def test_what_may_not_be_in_a_text_becomes_something_to_see() -> None:
    body = json.dumps({"text": "a\x1b[31mb\r\nc\ud800", "username": "x\ny\u202e: z"}).encode()
    assert shapes.read(body, JSON).messages() == ["x␊y\ufffd: z: a␛[31mb\nc\ufffd"]


def test_a_long_text_becomes_some_messages_cut_at_its_lines_and_says_what_is_missing() -> None:
    line = "ñ" * 99 + "\n"
    short = shapes.Note(line * 100).messages()
    assert "\n".join(short) == (line * 100).strip() or "".join(short) == (line * 100).strip()
    assert len(short) == 2
    long = shapes.Note(line * 1_000).messages()
    assert len(long) == PARTS
    cut = int(long[-1].rsplit("(", 1)[1].split()[0])
    assert len("".join(long)) - len(f"\n… ({cut} more characters)") + cut == len((line * 1_000).strip())


@given(st.text(max_size=60), st.integers(1, 1_000))
def test_every_text_becomes_messages_that_the_broker_takes(text: str, times: int) -> None:
    try:
        messages = shapes.Note(text * times).messages()
    except shapes.Unreadable:
        return
    for message in messages:
        assert texts.check_text(message) == message
        assert len(message) <= TEXT_LENGTH
        assert len(message.encode()) <= TEXT_BYTES


KEYS = {"fields", "elements", "labels", "annotations", "title"}
KEYS |= {key for _event, body, _said in SENDERS.values() if isinstance(body, dict) for key in body}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(KEYS)), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from(["", *(event for event, _, _ in SENDERS.values())]))
def test_no_body_is_too_strange(value: object, event: str) -> None:
    try:
        shapes.read(json.dumps(value).encode(), JSON, event).messages()
    except shapes.Unreadable as error:
        assert str(error)
