"""How things look, by name; readable on dark and on light ground, and without any colour (`NO_COLOR`).

What a colour says is also said by a sign or a word. Must not know what is drawn where.
"""

from __future__ import annotations

from collections.abc import Mapping

from prompt_toolkit.styles import Style

_PALETTE = (
    "#5f87d7", "#af5f00", "#00875f", "#af5faf", "#87875f", "#0087af", "#d75f5f",
    "#5f8700", "#8787d7", "#d78700", "#00afaf", "#d75f87", "#5f875f", "#875fd7",
)  # fmt: skip
"""Of middling lightness each, so that no background swallows one."""

_COLOURED = {
    **{f"nick.{number}": colour for number, colour in enumerate(_PALETTE)},
    "me": "bold",
    "time": "#808080",
    "pending": "#808080 italic",
    "failed": "#d7005f",
    "mention": "bold #d78700",
    "link": "underline",
    "rule": "#808080",
    "unread-rule": "#d7005f",
    "notice": "#808080",
    "answer": "#00875f",
    "error": "#d7005f",
    "title": "bg:#303a46 #ffffff",
    "title.topic": "bg:#303a46 #c8d0d8 nobold",
    "status": "bg:#303a46 #c8d0d8",
    "status.good": "bg:#303a46 #5fd787",
    "status.bad": "bg:#af0000 #ffffff bold",
    "status.busy": "bg:#303a46 #ffd75f",
    "status.news": "bg:#303a46 #ffffff bold",
    "side": "",
    "side.head": "#808080",
    "side.here": "reverse",
    "side.unread": "bold",
    "side.mention": "bold #d7005f",
    "side.away": "#808080",
    "line": "#606060",
    "prompt": "bold #00875f",
    "prompt.private": "bold #af5faf",
    "form.label": "",
    "form.here": "bold",
    "form.good": "#00875f",
    "form.wrong": "#d7005f",
    "form.hint": "#808080",
}

_PLAIN = {
    "me": "bold",
    "pending": "italic",
    "failed": "bold",
    "mention": "bold",
    "link": "underline",
    "title": "reverse",
    "title.topic": "reverse",
    "status": "reverse",
    "status.good": "reverse",
    "status.bad": "reverse bold",
    "status.busy": "reverse",
    "status.news": "reverse bold",
    "side.here": "reverse",
    "side.unread": "bold",
    "side.mention": "bold underline",
    "prompt": "bold",
    "prompt.private": "bold",
    "form.here": "bold",
    "form.wrong": "bold",
}


def chosen(environment: Mapping[str, str]) -> Style:
    """The style for this environment. Source: https://no-color.org."""
    return Style.from_dict(_PLAIN if environment.get("NO_COLOR") else _COLOURED)
