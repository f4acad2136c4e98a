"""The markup of messages: styled, but said as it was written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.tui.text import clean, emoji, links, markup
from client.tui.view.render import nick_style


def look(me: str = "ana") -> markup.Look:
    return markup.Look(links.Numbers().number, nick_style, me)


def styled(text: str, mention: bool = False) -> list[tuple[str, str]]:
    return [(style.strip(), said) for style, said in markup.inline(text, "", look(), mention)]


def test_emphasis_and_code_keep_their_signs() -> None:
    assert styled("a *b c* _d_ `e*f*` g") == [
        ("", "a "),
        ("class:markup", "*"),
        ("class:bold", "b c"),
        ("class:markup", "*"),
        ("", " "),
        ("class:markup", "_"),
        ("class:italic", "d"),
        ("class:markup", "_"),
        ("", " "),
        ("class:markup", "`"),
        ("class:code", "e*f*"),
        ("class:markup", "`"),
        ("", " g"),
    ]
    assert ("class:bold class:italic", "both") in styled("**_both_**")


@pytest.mark.parametrize(
    "text", ["2*3*4", "a_b_c snake_case", "* item", "5 * 3 * 2", "*a", "_", "``", "10:30:45", "a:b"]
)
def test_what_is_no_markup_is_left_alone(text: str) -> None:
    assert styled(text) == [("", text)]


def test_links_are_numbered_and_end_where_they_end() -> None:
    drawn = styled("see https://example.org/a_b_(c). and http://x.org), https://example.org/a_b_(c) mailto:a@b.org!")
    assert [text for style, text in drawn if "class:link " in style] == [
        "https://example.org/a_b_(c)",
        "http://x.org",
        "https://example.org/a_b_(c)",
        "mailto:a@b.org",
    ]
    assert [text for style, text in drawn if style == "class:markup"] == ["\xa0[1]", "\xa0[2]", "\xa0[1]", "\xa0[3]"]


def test_other_schemes_are_no_links() -> None:
    none = "https:// ftp://x file:///etc javascript:x"
    assert styled(none) == [("", none)]


def test_names_are_marked() -> None:
    assert styled("hi @ana, @bob. ana@home", mention=True) == [
        ("", "hi "),
        ("class:mention", "@ana"),
        ("", ", "),
        (nick_style("bob"), "@bob"),
        ("", "."),
        ("", " "),
        ("class:mention", "ana"),
        ("", "@home"),
    ]
    assert styled("anaconda, Ana!", mention=True) == [("", "anaconda, "), ("class:mention", "Ana"), ("", "!")]


def test_emoji_stand_for_their_codes_but_not_in_code() -> None:
    assert styled("`:smile:` :smile: :nope:")[-3:] == [("", "😄"), ("", " "), ("", ":nope:")]


def test_quotes_and_blocks_of_code() -> None:
    drawn = markup.lines("> said\n>> before\n```py\n  x = *1*\n```\nafter", "", look())
    assert [(line.prefix, "".join(text for _, text in line.fragments), line.exact) for line in drawn] == [
        ("│ ", "said", False),
        ("│ │ ", "before", False),
        ("", "```py", False),
        ("│ ", "  x = *1*", True),
        ("", "```", False),
        ("", "after", False),
    ]
    assert all("class:code" in style for style, _ in drawn[3].fragments)
    one = markup.lines("```all in one```", "", look())
    assert [line.exact for line in one] == [False]


@given(st.text(alphabet="ab *_`>@\n/h", max_size=80))
def test_nothing_is_lost_or_added(raw: str) -> None:
    text = clean.text(raw)
    said = []
    for line in markup.lines(text, "", look(), mention=True):
        fragments = [said for style, said in line.fragments if "class:link" not in style]
        said.append("> " * (len(line.prefix) // 2 if not line.exact else 0) + "".join(fragments))
    squeezed = [line.replace(" ", "").replace(">", "") for line in said]
    assert squeezed == [line.replace(" ", "").replace(">", "") for line in text.split("\n")]


def test_every_pattern_takes_time_in_proportion() -> None:
    for piece in ("*a ", "_a ", "`a", ":a", "@a", "https://", "**", "__", "*_", "(((", "> "):
        begun = time.process_time()
        markup.lines(piece * 4_000, "", look(), mention=True)
        assert time.process_time() - begun < 5  # quadratic ones take minutes


def test_numbers_of_links_are_kept_and_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST", 2)
    numbers = links.Numbers()
    assert [numbers.number(link) for link in ("a", "b", "a", "c", "a")] == [1, 2, 1, 1, 2]
    assert (numbers.link(1), numbers.link(2), numbers.link(3)) == ("c", "a", None)


def test_only_web_and_mail_addresses_reach_the_terminal_and_in_ascii() -> None:
    assert links.target("https://x.org/é?a=%20#b") == "https://x.org/%C3%A9?a=%20#b"
    assert links.target("javascript:alert(1)") == links.target("https://" + "x" * 5_000) == ""
    assert links.opening("file:///etc/passwd", 1) == ""
    nasty = links.opening("https://x/\x1b]8;;\x07\x9c\u202e;y", 7)
    assert nasty.startswith("\x1b]8;id=t7;https://x/%1B")
    assert nasty.endswith("\x1b\\")
    assert nasty.count("\x1b") == 2
    assert nasty.isascii()


def test_no_short_code_is_a_control() -> None:
    assert all(clean.text(sign) for sign in emoji.table().values())
