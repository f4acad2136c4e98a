"""The cookie, and the label that is made of it."""

from __future__ import annotations

import base64
import hashlib
from http.cookies import SimpleCookie

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from client.web.edge import cookies
from common import limits


def sent(value: str) -> web.Request:
    return make_mocked_request("GET", "/ws", headers={"Cookie": f"other=1; {cookies.NAME}={value}; more=2"})


@pytest.mark.parametrize("keep", [True, False])
def test_a_secret_comes_back_as_it_was_given(keep: bool) -> None:
    secret = cookies.make(keep=keep)
    assert cookies.read(sent(secret)) == secret
    assert cookies.kept(secret) is keep


def test_a_label_is_the_hash_of_the_secrets_bytes_and_fits_the_wire() -> None:
    secret = cookies.make(keep=True)
    raw = base64.urlsafe_b64decode(secret[1:] + "=")
    assert len(raw) == cookies.SECRET_BYTES
    assert cookies.label(secret) == base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    assert len(cookies.label(secret)) == 43 <= limits.GATEWAY_SESSION_LENGTH
    assert secret[1:] not in cookies.label(secret)


def test_no_secret_comes_twice() -> None:
    assert len({cookies.make(keep=False) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "value", ["", "k", "k" * 43, "k" + "A" * 42, "k" + "A" * 44, "x" + "A" * 43, "k" + "A" * 42 + "+", "k" + "é" * 43]
)
def test_what_was_not_made_here_is_no_secret(value: str) -> None:
    assert cookies.read(sent(value)) is None


@pytest.mark.parametrize("keep", [True, False])
def test_no_script_and_no_other_site_gets_at_it(keep: bool) -> None:
    answer = web.Response()
    secret = cookies.make(keep=keep)
    cookies.give(answer, secret)
    (set_,) = answer.cookies.values()
    assert (set_.key, set_.value) == ("__Host-tertulia", secret)
    assert (set_["httponly"], set_["secure"], set_["samesite"], set_["path"]) == (True, True, "Strict", "/")
    assert set_["domain"] == ""  # or the prefix __Host- has it refused
    assert set_.get("max-age", "") == (str(limits.SESSION_DAYS * 86_400) if keep else "")
    assert SimpleCookie(set_.OutputString())  # one line, whole


def test_it_is_taken_back_under_the_same_terms() -> None:
    answer = web.Response()
    cookies.take(answer)
    (set_,) = answer.cookies.values()
    assert (set_.value, set_["max-age"], set_["path"], set_["secure"]) == ("", "0", "/", True)
