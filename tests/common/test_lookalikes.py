"""Look-alikes: what the vectors do not say."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from common import lookalikes, names

LETTERS = st.text(alphabet="abilmnorw01АВЕаеосхурѕіјαοvν", min_size=1, max_size=8)


@given(LETTERS)
def test_a_skeleton_looks_like_itself(name: str) -> None:
    skeleton = lookalikes.skeleton(name)
    assert lookalikes.skeleton(skeleton) == skeleton


@given(LETTERS)
def test_a_name_looks_like_itself_in_its_normal_form(name: str) -> None:
    assert lookalikes.skeleton(names.parse(name)) == lookalikes.skeleton(name)


@given(st.text(max_size=20))
def test_any_text_has_a_skeleton(text: str) -> None:
    assert isinstance(lookalikes.skeleton(text), str)


def test_a_pair_without_a_third_has_one_skeleton() -> None:
    # ǝ and ə are each the only look-alike of the other: the table does not say which is the prototype.
    assert lookalikes.skeleton("ǝ") == lookalikes.skeleton("ə")


def test_accents_are_seen() -> None:
    assert lookalikes.skeleton("nino") != lookalikes.skeleton("niño")


def test_the_table_is_read_on_first_use_only() -> None:
    code = (
        "import sys; from common import lookalikes; assert 'confusable_homoglyphs' not in sys.modules;"
        "lookalikes.skeleton('a'); assert 'confusable_homoglyphs' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
