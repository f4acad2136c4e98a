"""The little markup that people write in messages: quotes, code, emphasis, links, names, emoji.

It only gives style to what stands there: the signs of the markup stay, faintly, so that nobody's text reads
otherwise than it was meant, and what is copied is what was written. Only short-codes of emoji become the emoji.
Every pattern takes time in proportion to the text. Must not know rows, nor who said it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.tui.text import clean, emoji, links
from client.tui.text.wrap import Fragment

FENCE: Final = "```"
BAR: Final = "│ "
QUOTES: Final = 4
"""Bars drawn before a quote of a quote of a quote."""

_INLINE: Final = re.compile(
    r"(?<!`)(?P<tick>`{1,2})(?P<code>[^`\n]+)(?P=tick)(?!`)"
    rf"|(?P<link>(?<!\w){links.PATTERN})"
    r"|(?P<emoji>(?<!\w):[a-z0-9_+-]{1,60}:(?!\w))"
    r"|(?<![\w*])(?P<star>\*{1,2})(?=[^\s*])(?P<bold>[^*\n]+)(?<=[^\s*])(?P=star)(?![\w*])"
    r"|(?<![\w_])(?P<low>_{1,2})(?=[^\s_])(?P<italic>[^_\n]+)(?<=[^\s_])(?P=low)(?![\w_])"
    r"|(?<![\w.@/-])@(?P<at>\w[\w.-]{0,24})",
    re.IGNORECASE,
)
_MARKED: Final = re.compile(r"[`*_:@]")
_QUOTED: Final = re.compile(r"(?:>[ ]?)+")


@dataclass(frozen=True)
class Look:
    """What markup cannot know by itself."""

    number: Callable[[str], int]
    """Under which number a link is opened."""
    nick: Callable[[str], str]
    """The style of somebody's name."""
    me: str = ""
    """The reader's login: where it stands, it is marked."""


@dataclass(frozen=True)
class Line:
    """One line of a message, not wrapped yet."""

    fragments: list[Fragment]
    prefix: str = ""
    """Stands before each of its rows."""
    style: str = ""
    """The prefix's."""
    exact: bool = False
    """Broken anywhere, so that no space of it is lost: code."""


def lines(text: str, style: str, look: Look, mention: bool = False) -> list[Line]:
    """The lines of a text that was made harmless, in `style`. With `mention`, it names the reader."""
    if not mention and not _MARKED.search(text) and not text.startswith(">") and "\n>" not in text:
        return [Line([(style, line)]) for line in text.split("\n")]
    drawn: list[Line] = []
    within = False
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith(FENCE) and (within or FENCE not in bare[3:]):
            within = not within
            drawn.append(Line([(f"{style} class:markup", line)]))
        elif within:
            drawn.append(Line([(f"{style} class:code", line)], BAR, "class:markup", exact=True))
        elif line.startswith(">"):
            drawn.append(_quote(line, style, look, mention))
        else:
            drawn.append(Line(inline(line, style, look, mention)))
    return drawn


def _quote(line: str, style: str, look: Look, mention: bool) -> Line:
    match = _QUOTED.match(line)
    marks = match[0] if match else ">"
    depth = min(QUOTES, marks.count(">"))
    said = inline(line[len(marks) :], f"{style} class:quote", look, mention)
    return Line(said, BAR * depth, "class:markup")


def inline(text: str, style: str, look: Look, mention: bool = False) -> list[Fragment]:
    """The fragments of one line."""
    drawn: list[Fragment] = []
    at = 0
    for match in _INLINE.finditer(text):
        drawn += _words(text[at : match.start()], style, look, mention)
        drawn += _marked(match, style, look, mention)
        at = match.end()
    drawn += _words(text[at:], style, look, mention)
    return drawn


def _marked(match: re.Match[str], style: str, look: Look, mention: bool) -> list[Fragment]:
    kind = match.lastgroup
    faint = f"{style} class:markup"
    if kind == "code":
        return [(faint, match["tick"]), (f"{style} class:code", match["code"]), (faint, match["tick"])]
    if kind == "link":
        return _link(match["link"], style, look)
    if kind == "emoji":
        sign = emoji.table().get(match[0].strip(":").lower())
        return [(style, clean.line(sign) if sign else match[0])]
    if kind == "at":
        return _name(match[0], style, look)
    mark, within = ("star", "bold") if kind == "bold" else ("low", "italic")
    said = inline(match[within], f"{style} class:{within}", look, mention)
    return [(faint, match[mark]), *said, (faint, match[mark])]


def _link(text: str, style: str, look: Look) -> list[Fragment]:
    link = links.trimmed(text)
    if not link:
        return [(style, text)]
    number = look.number(link)
    drawn = [(f"{style} class:link class:link-{number}", link), (f"{style} class:markup", f"\xa0[{number}]")]
    return drawn + ([(style, text[len(link) :])] if len(link) < len(text) else [])


def _name(text: str, style: str, look: Look) -> list[Fragment]:
    login = text[1:].rstrip(".-")
    if look.me and login.casefold() == look.me.casefold():
        marked = f"{style} class:mention"
    else:
        marked = f"{style} {look.nick(login)}"
    rest = text[len(login) + 1 :]
    return [(marked, f"@{login}"), *([(style, rest)] if rest else [])]


def _words(text: str, style: str, look: Look, mention: bool) -> list[Fragment]:
    if not text:
        return []
    if not mention or not look.me:
        return [(f"{style} class:mention" if mention else style, text)]
    drawn: list[Fragment] = []
    at = 0
    for match in re.finditer(rf"(?<!\w){re.escape(look.me)}(?!\w)", text, re.IGNORECASE):
        drawn += [(style, text[at : match.start()]), (f"{style} class:mention", match[0])]
        at = match.end()
    return [fragment for fragment in (*drawn, (style, text[at:])) if fragment[1]]
