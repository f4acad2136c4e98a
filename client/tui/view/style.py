"""How things look, by name: with colours that are readable on dark and on light ground, and without any.

What a colour says is also said by a sign or a word. Must not know what is drawn where, nor which theme is chosen.
"""

from __future__ import annotations

from typing import Final

_PALETTE = (
    "#5f87d7", "#af5f00", "#00875f", "#af5faf", "#87875f", "#0087af", "#d75f5f",
    "#5f8700", "#8787d7", "#d78700", "#00afaf", "#d75f87", "#5f875f", "#875fd7",
)  # fmt: skip
"""Of middling lightness each, so that no background swallows one."""

COLOURED: Final = {
    **{f"nick.{number}": colour for number, colour in enumerate(_PALETTE)},
    "text": "",
    "me": "bold",
    "time": "#808080",
    "pending": "#808080 italic",
    "failed": "#d7005f",
    "mention": "bold #d78700",
    "link": "underline",
    "markup": "#808080",
    "bold": "bold",
    "italic": "italic",
    "code": "#af5f00",
    "quote": "italic",
    "reply": "#808080",
    "edited": "#808080",
    "gone": "#808080 italic",
    "reaction": "#808080",
    "reaction.mine": "bold",
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
    "selected": "reverse",
    "sheet": "bg:#303a46 #e4e8ec",
    "sheet.title": "bg:#465566 #ffffff bold",
    "sheet.here": "bg:#e4e8ec #202830",
    "side.head": "#808080",
    "side.here": "reverse",
    "side.unread": "bold",
    "side.mention": "bold #d7005f",
    "side.away": "#808080",
    "side.number": "#808080",
    "side.dnd": "#d7005f",
    "side.writes": "bold",
    "line": "#606060",
    "prompt": "bold #00875f",
    "prompt.private": "bold #af5faf",
    "form.label": "",
    "form.here": "bold",
    "form.good": "#00875f",
    "form.wrong": "#d7005f",
    "form.hint": "#808080",
}

PLAIN: Final = {
    "me": "bold",
    "pending": "italic",
    "failed": "bold",
    "mention": "bold",
    "link": "underline",
    "bold": "bold",
    "italic": "italic",
    "quote": "italic",
    "gone": "italic",
    "reaction.mine": "bold",
    "title": "reverse",
    "title.topic": "reverse",
    "status": "reverse",
    "status.good": "reverse",
    "status.bad": "reverse bold",
    "status.busy": "reverse",
    "status.news": "reverse bold",
    "side.here": "reverse",
    "selected": "reverse",
    "sheet": "reverse",
    "sheet.title": "reverse bold",
    "sheet.here": "noreverse bold",
    "side.unread": "bold",
    "side.mention": "bold underline",
    "prompt": "bold",
    "prompt.private": "bold",
    "form.here": "bold",
    "form.wrong": "bold",
}

_BRIGHT: Final = (
    "#87afff", "#ffaf5f", "#5fd7af", "#ff87ff", "#d7d787", "#5fd7ff", "#ff8787",
    "#afd75f", "#afafff", "#ffd75f", "#5fffff", "#ff87af", "#87d787", "#d7afff",
)  # fmt: skip
_DEEP: Final = (
    "#005fd7", "#875f00", "#005f5f", "#87005f", "#5f5f00", "#005f87", "#af0000",
    "#005f00", "#5f5faf", "#af5f00", "#008787", "#af005f", "#5f5f5f", "#5f00af",
)  # fmt: skip
_SIXTEEN: Final = (
    "ansiblue", "ansicyan", "ansigreen", "ansimagenta", "ansiyellow", "ansibrightblue", "ansired",
    "ansibrightgreen", "ansibrightcyan", "ansibrightyellow", "ansicyan", "ansibrightmagenta", "ansigreen",
    "ansimagenta",
)  # fmt: skip


def _nicks(palette: tuple[str, ...]) -> dict[str, str]:
    return {f"nick.{number}": colour for number, colour in enumerate(palette)}


def _recoloured(**colours: str) -> dict[str, str]:
    """The usual styles with each colour replaced by another: their names are those of the letters below."""
    named = {"grey": "#808080", "red": "#d7005f", "green": "#00875f", "amber": "#d78700", "brown": "#af5f00"}
    named |= {"violet": "#af5faf", "line": "#606060"}
    table = dict(COLOURED)
    for name, colour in colours.items():
        table = {key: style.replace(named[name], colour) for key, style in table.items()}
    return table


_BAR: Final = "bg:#d0d7de"
BUILT_IN: Final[dict[str, dict[str, str]]] = {
    "any": COLOURED,
    "dark": {
        **_recoloured(
            grey="#8a8a8a",
            red="#ff5f87",
            green="#5fd7af",
            amber="#ffd75f",
            brown="#ffaf5f",
            violet="#ff87ff",
            line="#444444",
        ),
        **_nicks(_BRIGHT),
    },
    "light": {
        **_recoloured(
            grey="#6c6c6c",
            red="#af0045",
            green="#005f3f",
            amber="#875f00",
            brown="#8a3f00",
            violet="#87008f",
            line="#b2b2b2",
        ),
        **_nicks(_DEEP),
        "title": f"{_BAR} #1f2328 bold",
        "title.topic": f"{_BAR} #3d444d nobold",
        "status": f"{_BAR} #3d444d",
        "status.good": f"{_BAR} #005f00",
        "status.busy": f"{_BAR} #875f00",
        "status.news": f"{_BAR} #000000 bold",
        "sheet": "bg:#eaeef2 #1f2328",
        "sheet.title": f"{_BAR} #1f2328 bold",
        "sheet.here": "bg:#1f2328 #ffffff",
    },
    "ansi": {
        **_recoloured(
            grey="ansibrightblack",
            red="ansired",
            green="ansigreen",
            amber="ansiyellow",
            brown="ansiyellow",
            violet="ansimagenta",
            line="ansibrightblack",
        ),
        **_nicks(_SIXTEEN),
        "title": "reverse bold",
        "title.topic": "reverse nobold",
        "status": "reverse",
        "status.good": "reverse",
        "status.bad": "bg:ansired ansiwhite bold",
        "status.busy": "reverse",
        "status.news": "reverse bold",
        "sheet": "reverse",
        "sheet.title": "reverse bold",
        "sheet.here": "noreverse bold",
    },
    "none": PLAIN,
}
"""The themes, by name; `client.tui.view.themes` says what each is for."""
