"""Short-codes of emoji: found where they are meant, and left alone where they are not."""

from __future__ import annotations

from client.tui.text import emoji
from tests.test_architecture import loaded_by


def test_the_table_is_whole() -> None:
    assert len(emoji.table()) > 1_800
    assert emoji.table()["smile"] == "😄"
    assert all(sign and not sign.isascii() for sign in emoji.table().values())


def test_codes_within_a_text() -> None:
    assert emoji.replaced("well done :tada::+1: :tada:!") == "well done 🎉👍 🎉!"
    assert emoji.replaced(":smile: at 10:30:45, a:smile:b, :no_such_code: C:100:x") == (
        "😄 at 10:30:45, a:smile:b, :no_such_code: C:100:x"
    )


def test_a_sign_by_its_code_and_back() -> None:
    assert (emoji.sign(":+1:"), emoji.sign("heart"), emoji.sign("👍"), emoji.sign("nothing")) == (
        "👍",
        "❤️",
        "👍",
        "nothing",
    )
    assert (emoji.code("👍"), emoji.code("❤"), emoji.code("❤️"), emoji.code("x")) == (":+1:", ":heart:", ":heart:", "")


def test_completion_offers_what_begins_so_before_what_holds_it() -> None:
    found = [code for code, _ in emoji.beginning("smil")]
    assert found[0] == ":smile:"
    assert found.index(":smile_cat:") < found.index(":sweat_smile:")
    assert len(emoji.beginning("", most=5)) == 5


def test_the_table_is_not_read_before_it_is_needed() -> None:
    assert "client" in loaded_by(
        "import client.tui.view.render, client.tui.text.emoji as e; assert e.table.cache_info().currsize == 0"
    )
