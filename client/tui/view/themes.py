"""Which look is chosen: by the settings, and by what the terminal can do.

    auto     what fits the terminal: none, ansi, light, or any
    any      colours of middling lightness, for whatever ground
    dark     for light letters on a dark ground
    light    for dark letters on a light ground
    ansi     the terminal's own sixteen colours, which are its owner's
    none     no colour, as NO_COLOR and a terminal that is dumb want it

Other themes are tables in the settings: names of `client.tui.view.style`, and styles as prompt_toolkit writes them, on
top of the theme that `base` names. Must not know what is drawn where.

Sources: https://no-color.org; COLORFGBG as rxvt and Konsole set it; terminfo(5) for TERM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prompt_toolkit.styles import Style

from client.config import BadConfig
from client.language import _
from client.tui.view.style import BUILT_IN, COLOURED, PLAIN

AUTO: Final = "auto"

_chosen: tuple[str, dict[str, str]] = (AUTO, {})
"""The theme that is built in, and what is different in one's own."""


def use(name: str, own: Mapping[str, Mapping[str, str]]) -> None:
    """From now on the theme of that name is in use, one of `own` or one of those built in.

    Raises `BadConfig` for a theme that there is not, and for a fault in one of one's own, in use or not.
    """
    global _chosen
    tables = {theme: _own(theme, table) for theme, table in own.items()}
    known = [AUTO, *BUILT_IN, *tables]
    if name not in known:
        expected = ", ".join(known)
        text = _("theme: there is no {name!r}; expected one of {expected}.")
        raise BadConfig(text.format(name=name, expected=expected))
    table = tables.get(name)
    _chosen = (name, {}) if table is None else (table.pop("base", AUTO), table)


def _own(theme: str, table: Mapping[str, str]) -> dict[str, str]:
    base = table.get("base", AUTO)
    if base != AUTO and base not in BUILT_IN:
        expected = ", ".join([AUTO, *BUILT_IN])
        raise BadConfig(
            _("themes.{theme}: base: there is no {name!r}; expected one of {expected}.").format(
                theme=theme, name=base, expected=expected
            )
        )
    for key, style in table.items():
        if key == "base":
            continue
        if key not in COLOURED:
            import difflib

            near = ", ".join(difflib.get_close_matches(key, COLOURED, 3)) or ", ".join(COLOURED)
            raise BadConfig(
                _("themes.{theme}: there is no {key!r} to give a style to; there is {near}.").format(
                    theme=theme, key=key, near=near
                )
            )
        try:
            Style.from_dict({key: style})
        except ValueError as error:
            raise BadConfig(
                _("themes.{theme}: {key}: expected a style such as 'bold #5f87d7 bg:#202020': {error}.").format(
                    theme=theme, key=key, error=error
                )
            ) from None
    return dict(table)


def fitting(environment: Mapping[str, str]) -> str:
    """The built-in theme that fits a terminal which says this of itself."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR") or term in ("dumb", "unknown") or term.startswith("vt"):
        return "none"
    direct = environment.get("COLORTERM", "") in ("truecolor", "24bit")
    if not direct and (term in ("linux", "ansi", "cygwin", "xterm", "screen", "rxvt") or "16color" in term):
        return "ansi"
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if ground in ("7", "15") else "any"


def style(environment: Mapping[str, str]) -> Style:
    """The look in use, for a terminal which says this of itself. What it cannot show, no theme asks of it."""
    base, own = _chosen
    fits = fitting(environment)
    if fits == "none":
        return Style.from_dict(PLAIN)
    return Style.from_dict({**BUILT_IN[fits if base == AUTO else base], **own})
