"""What senders mean: the bodies of common webhooks, read as a text and the name of who says it.

    {"text": …}              Slack, Mattermost, and whatever speaks like them; with `attachments` or `blocks`
    {"content": …}           Discord, with `embeds`
    {"alerts": […]}          Prometheus' Alertmanager and Grafana; {"title", "message"}: older Grafanas
    X-GitHub-Event: …        GitHub, Gitea and Forgejo (`forges`)

in JSON, or in a form whose field `payload` holds that JSON, or whose fields are `text` and `username`; or plain text.
What is not known is refused with a sentence, so that nothing is dropped in silence. Must not know HTTP, nor rooms.

Sources: Slack's "Incoming webhooks" and "Formatting text", Discord's "Execute Webhook", Alertmanager's
`webhook_config`, Grafana's "Webhook notifier".
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from client.web.webhooks import forges
from client.web.webhooks.bounds import ITEMS, PARTS, USERNAME_LENGTH
from common import texts
from common.errors import BadText
from common.limits import TEXT_BYTES, TEXT_LENGTH

_FORM_FIELDS: Final = 50
_LINK: Final = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|([^>]*))?>")
_EXPECTED: Final = 'expected {"text": "…"}, {"content": "…"}, alerts, or what a forge sends'


class Unreadable(Exception):
    """Nothing can be made of the body; the sentence says what was expected."""


class UnknownType(Unreadable):
    """The body is of a type that is not read here."""


@dataclass(frozen=True)
class Note:
    """What a sender says."""

    text: str
    username: str = ""
    """Who says it, by its own account; empty if it does not say."""

    def messages(self) -> list[str]:
        """The texts of messages that say it, each as the broker takes it. Raises `Unreadable` if there is nothing."""
        said = f"{self.username}: {self.text}" if self.username else self.text
        found = []
        for part in _split(texts.mended(said).strip()):
            with suppress(BadText):
                found.append(texts.check_text(part))
        if not found or not texts.mended(self.text).strip():
            raise Unreadable("the text is empty")
        return found


def read(body: bytes, content_type: str, event: str = "") -> Note:
    """Read a body of that media type; `event` is what a forge says it is about. Raises `Unreadable`."""
    try:
        text = body.decode("utf-8-sig")  # some begin with a mark of the byte order, which is no JSON
    except UnicodeDecodeError:
        raise Unreadable("the body is no UTF-8") from None
    if content_type == "text/plain":
        return Note(text)
    form = content_type == "application/x-www-form-urlencoded"
    # Many give JSON without a word about it, and curl then says that it is a form.
    if content_type in ("", "application/octet-stream", "application/json") or content_type.endswith("+json"):
        return _of_json(text, event)
    if form and text.lstrip()[:1] in ("{", "["):
        return _of_json(text, event)
    if form:
        return _of_form(text, event)
    raise UnknownType("expected application/json, application/x-www-form-urlencoded or text/plain")


def _of_form(body: str, event: str) -> Note:
    try:
        fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_FORM_FIELDS))
    except ValueError:
        raise Unreadable(f"a form has at most {_FORM_FIELDS} fields") from None
    if "payload" in fields:
        return _of_json(fields["payload"], event)
    if "text" not in fields and "content" not in fields:
        raise Unreadable("the form has no field payload, text or content")
    return _of_object(fields, event)


def _of_json(text: str, event: str) -> Note:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(f"the body is no JSON; {_EXPECTED}") from None
    if isinstance(found, str):
        return Note(found)
    if not isinstance(found, dict):
        raise Unreadable(f"the JSON is no object; {_EXPECTED}")
    return _of_object(found, event)


def _of_object(found: Mapping[str, Any], event: str) -> Note:
    said = _slack(found) or _discord(found) or _alerts(found)
    if not said and event:
        said = forges.told(event, found)
    if not said:
        raise Unreadable(f"there is no text; {_EXPECTED}")
    return Note(said, " ".join(texts.visible(_text(found.get("username"))).split())[:USERNAME_LENGTH])


def _slack(found: Mapping[str, Any]) -> str:
    said = [_text(found.get("text"))]
    if not said[0].strip():
        said += [_block(block) for block in _objects(found.get("blocks"))]
    for each in _objects(found.get("attachments")):
        said += _attachment(each)
    return _plain(_joined(said))


def _attachment(each: Mapping[str, Any]) -> list[str]:
    title, link = _text(each.get("title")), _text(each.get("title_link"))
    blocks = [_block(block) for block in _objects(each.get("blocks"))]
    said = [_text(each.get("pretext")), _named(title, link), _text(each.get("text")), *blocks]
    for field in _objects(each.get("fields")):
        said.append(_pair(_text(field.get("title")), _text(field.get("value"))))
    return said if any(part.strip() for part in said) else [_text(each.get("fallback"))]


def _block(block: Mapping[str, Any]) -> str:
    """The texts of one block of Slack's Block Kit, however it holds them."""
    own = block.get("text")
    texts = [own] if isinstance(own, dict) else []
    texts += [*_objects(block.get("fields")), *_objects(block.get("elements"))]
    return _joined(_text(each.get("text")) for each in texts)


def _plain(text: str) -> str:
    """A text without Slack's marks for links, and without its escapes."""
    return html.unescape(_LINK.sub(lambda link: _named(link[2] or "", link[1]), text)) if _marked(text) else text


def _marked(text: str) -> bool:
    return "<" in text or "&lt;" in text or "&gt;" in text or "&amp;" in text


def _discord(found: Mapping[str, Any]) -> str:
    said = [_text(found.get("content"))]
    for each in _objects(found.get("embeds")):
        said += [_named(_text(each.get("title")), _text(each.get("url"))), _text(each.get("description"))]
        said += [_pair(_text(field.get("name")), _text(field.get("value"))) for field in _objects(each.get("fields"))]
    return _joined(said)


def _alerts(found: Mapping[str, Any]) -> str:
    title, message = _text(found.get("title")), _text(found.get("message"))
    if title or message:
        return _joined([title, message, _text(found.get("ruleUrl"))])
    alerts = _objects(found.get("alerts"))
    if not alerts:
        return ""
    status = _text(found.get("status")).upper() or "ALERT"
    labels = found.get("groupLabels")
    group = " ".join(map(_text, labels.values())) if isinstance(labels, dict) else ""
    said = [f"[{status}:{len(alerts)}] {group}".rstrip()]
    said += [f"- {_alert(alert)}" for alert in alerts[:ITEMS]]
    if len(alerts) > ITEMS:
        said.append(f"- and {len(alerts) - ITEMS} more")
    return _joined([*said, _text(found.get("externalURL"))])


def _alert(alert: Mapping[str, Any]) -> str:
    labels, notes = (each if isinstance(each := alert.get(key), dict) else {} for key in ("labels", "annotations"))
    name, where = _text(labels.get("alertname")), _text(labels.get("instance"))
    said = _text(notes.get("summary")) or _text(notes.get("description")) or _text(notes.get("message"))
    status = "resolved: " if alert.get("status") == "resolved" else ""
    return status + (": ".join(filter(None, [" ".join(filter(None, [name, where])), said])) or "an alert")


def _text(value: object) -> str:
    """A value as text: numbers are, whatever else is no text is nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _named(name: str, link: str) -> str:
    return f"{name} ({link})" if name and link and name != link else name or link


def _pair(name: str, value: str) -> str:
    return f"{name}: {value}" if name and value else name or value


def _joined(parts: Iterable[str]) -> str:
    """The parts that say something, a line each, none twice in a row."""
    kept: list[str] = []
    for part in parts:
        if part.strip() and (not kept or kept[-1] != part):
            kept.append(part)
    return "\n".join(kept)


def _split(text: str) -> Iterator[str]:
    """Parts that fit into messages, at line ends where there are some; what is too much is cut, and that is said."""
    for number in range(1, PARTS + 1):
        end = _end(text)
        if end == len(text):
            yield text
            return
        if number == PARTS:
            # The note takes some room, too.
            end = _end(text, 60)
            yield f"{text[:end]}\n… ({len(text) - end} more characters)"
            return
        line = text.rfind("\n", end // 2, end)
        end = line + 1 if line > 0 else end
        yield text[:end]
        text = text[end:]


def _end(text: str, spare: int = 0) -> int:
    """How many characters of `text` one message takes."""
    end = min(len(text), TEXT_LENGTH - spare)
    while len(text[:end].encode()) > TEXT_BYTES - spare:
        end -= max(1, (len(text[:end].encode()) - TEXT_BYTES + spare) // 4)
    return end
