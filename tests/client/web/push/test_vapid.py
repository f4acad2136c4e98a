"""The gateway's key for push services: made once, kept from others, and good for what it signs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from py_vapid import Vapid02

from client.web.push import vapid
from client.web.push.bounds import AUDIENCES, TOKEN_S
from client.web.push.vapid import BadContact, Vapid
from common.keys import BadSecretFile
from tests.generated import ROOT

NOW = 1_800_000_000


def claims(header: str) -> dict[str, object]:
    middle = header.split("t=")[1].split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "web" / "push.key"
    first = Vapid.load(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Vapid.load(file).public == first.public
    point = base64.urlsafe_b64decode(first.public + "=")
    assert (len(point), point[0]) == (65, 4)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "push.key"
    Vapid.load(file)
    file.chmod(0o640)
    with pytest.raises(BadSecretFile, match=r"others can read.*chmod 600"):
        Vapid.load(file)


@pytest.mark.parametrize("seed", [bytes(32), b"\xff" * 32, bytes(31) + b"\x01"])
def test_any_32_bytes_are_a_key(seed: bytes) -> None:
    header = Vapid(seed).authorization("https://push.example.net/x", NOW)
    assert Vapid02.verify(header)


def test_a_token_is_for_one_service_for_hours_and_signed() -> None:
    key = Vapid(os.urandom(32), "mailto:ana@example.net")
    header = key.authorization("https://push.example.net/a/b?c", NOW)
    assert Vapid02.verify(header)
    assert header.endswith(f"k={key.public}")
    assert claims(header) == {"aud": "https://push.example.net", "exp": NOW + TOKEN_S, "sub": "mailto:ana@example.net"}
    assert key.authorization("https://push.example.net/other", NOW + 60) == header
    later = key.authorization("https://push.example.net/a", NOW + TOKEN_S - 60)
    assert claims(later)["exp"] == NOW + TOKEN_S - 60 + TOKEN_S
    assert claims(key.authorization("https://push.example.org/a", NOW))["aud"] == "https://push.example.org"


def test_tokens_are_kept_for_a_bounded_number_of_services() -> None:
    key = Vapid(os.urandom(32))
    for number in range(2 * AUDIENCES):
        key.authorization(f"https://{number}.example.net/", NOW)
    assert len(key._tokens) <= AUDIENCES


def test_a_topic_names_a_conversation_to_nobody_else() -> None:
    key = Vapid(bytes(32))
    topic = key.topic("https://push.example.net/a", "lobby")
    assert len(topic) == 32  # RFC 8030 section 5.4
    assert topic == key.topic("https://push.example.net/a", "lobby")
    others = {key.topic("https://push.example.net/a", "@ben"), key.topic("https://push.example.net/b", "lobby")}
    others.add(Vapid(b"\x01" * 32).topic("https://push.example.net/a", "lobby"))
    assert topic not in others
    assert len(others) == 3


def test_what_push_needs_is_loaded_when_somebody_asks_for_it(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, client.web.push.push\n"
        "from client.web.push.vapid import Vapid\n"
        f"key = Vapid.load(pathlib.Path({str(tmp_path / 'push.key')!r}))\n"
        "heavy = {'cryptography', 'pywebpush', 'py_vapid', 'http_ece', 'requests'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
        "key.public\n"
        "print('cryptography' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True"]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vapid.missing() == ""
    monkeypatch.setattr(vapid, "NEEDED", ("pywebpush", "no_such_library"))
    assert vapid.missing() == "no_such_library"


@pytest.mark.parametrize(
    "contact", ["mailto:ana@example.net", "https://chat.example.net", "https://example.net:8443/x"]
)
def test_a_contact_is_an_address_that_somebody_reads(contact: str) -> None:
    assert claims(Vapid(bytes(32), contact).authorization("https://push.example.net/x", NOW))["sub"] == contact


@pytest.mark.parametrize(
    "contact", ["", "ana@example.net", "mailto:ana", "mailto:a b@c.d", "http://example.net", "https://x"]
)
def test_any_other_is_refused_at_the_start(contact: str) -> None:
    with pytest.raises(BadContact, match="mailto:"):
        Vapid(bytes(32), contact)
