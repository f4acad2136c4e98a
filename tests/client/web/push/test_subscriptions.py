"""Which subscriptions are taken, how many, and that they last."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from client.web.push import subscriptions
from client.web.push.bounds import ENDPOINT_LENGTH, PER_ACCOUNT
from client.web.push.subscriptions import BadSubscription, Subscription, Subscriptions, parse
from common.keys import BadSecretFile
from tests.client.web.push.service import Browser

GOOD = Browser("x").subscription


def one(name: str, label: str, login: str = "ana") -> Subscription:
    return parse({**GOOD, "endpoint": f"https://push.example.net/{name}"}, label, login)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/c0Ffee:APA91b-_x",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://web.push.apple.com/QGxlLm5v",
        "https://db5p.notify.windows.com/w/?token=BQYAAAA%2b%3d",
        "https://push.example.net:443/x",
        "https://xn--bcher-kva.example/x",
        f"https://push.example.net/{'a' * (ENDPOINT_LENGTH - 25)}",
    ],
)
def test_push_services_are_taken(endpoint: str) -> None:
    assert parse({**GOOD, "endpoint": endpoint}, "label", "ana").endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        None, 7, "", "x", "//push.example.net/x", "/x", "ftp://push.example.net/x", "javascript:alert(1)",
        "http://push.example.net/x", "ws://push.example.net/x", "https:///x", "https://", "https:push.example.net",
        "https://push.example.net:8443/x", "https://push.example.net:80/x", "https://push.example.net:99999/x",
        "https://ana@push.example.net/x", "https://ana:x@push.example.net/x", "https://push.example.net@127.0.0.1/",
        "https://push.example.net/x#fragment", "https://push.example.net\\@127.0.0.1/", "https://push.example.net/\n",
        "https://push.example.net/ x", "https://push.example.net/ñ", "https://pushé.example.net/",
        "https://localhost/x", "https://LOCALHOST/x", "https://push/x", "https://a.localhost/", "https://nas.local/",
        "https://metadata.google.internal/", "https://router.lan/", "https://push.example.net./x",
        "https://8.8.8.8/x", "https://[2606:4700::1111]/x",
        "https://127.0.0.1/x", "https://10.0.0.1/x", "https://169.254.169.254/latest", "https://192.168.1.1/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
        "https://0/", "https://1.2.3.4.5/", "https://example.123/", "https://example.0x7f/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::7f00:1]/", "https://[::1", "https://-a.example.net/", "https://a..example.net/",
        "https://push.example.net%2f@127.0.0.1/", "https://push%2eexample.net/",
        f"https://push.example.net/{'a' * ENDPOINT_LENGTH}",
    ],
)  # fmt: skip
def test_nothing_else_is(endpoint: Any) -> None:
    with pytest.raises(BadSubscription):
        parse({**GOOD, "endpoint": endpoint}, "label", "ana")


@pytest.mark.parametrize("given", [None, [], "x", {}, {"endpoint": GOOD["endpoint"]}, {**GOOD, "keys": []}])
def test_what_is_no_subscription_is_refused(given: Any) -> None:
    with pytest.raises(BadSubscription):
        parse(given, "label", "ana")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("p256dh", None), ("p256dh", ""), ("p256dh", 7), ("p256dh", "AAAA"), ("p256dh", "A" * 87),
        ("p256dh", "B" + "A" * 86),  # 65 bytes that begin with 4, and are no point of the curve
        ("p256dh", "!" * 87), ("p256dh", "A" * 100_000),
        ("auth", None), ("auth", ""), ("auth", "AAAA"), ("auth", "A" * 24), ("auth", "Ä" * 22),
    ],
)  # fmt: skip
def test_keys_have_to_be_keys(name: str, value: Any) -> None:
    with pytest.raises(BadSubscription):
        parse({**GOOD, "keys": {**GOOD["keys"], name: value}}, "label", "ana")


def test_keys_are_taken_with_padding_and_without() -> None:
    padded = {name: value + "=" * (-len(value) % 4) for name, value in GOOD["keys"].items()}
    found = parse({**GOOD, "keys": padded}, "label", "ana")
    assert (found.p256dh, found.auth) == (GOOD["keys"]["p256dh"], GOOD["keys"]["auth"])
    assert len(base64.urlsafe_b64decode(found.auth + "==")) == 16


async def test_they_last_in_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    kept = Subscriptions(file)
    kept.add(one("a", "label-a"))
    kept.add(one("b", "label-b", "ben"))
    await kept.save()
    assert file.stat().st_mode & 0o777 == 0o600
    again = Subscriptions(file)
    assert [(each.label, each.login) for each in again] == [("label-a", "ana"), ("label-b", "ben")]
    again.change(one("a", "label-a").failing(3))
    again.change(one("c", "label-c"))  # is not there
    again.drop(one("b", "label-b", "ben"))
    await again.save()
    assert [(each.label, each.failures) for each in Subscriptions(file)] == [("label-a", 3)]


def test_an_account_has_so_many_browsers_and_the_oldest_goes(tmp_path: Path) -> None:
    kept = Subscriptions(tmp_path / "push.json")
    kept.add(one("ben", "label-ben", "ben"))
    for number in range(PER_ACCOUNT):
        assert kept.add(one(str(number), f"label-{number}", "Ana" if number % 2 else "ana")) == []
    assert kept.add(one("new", "label-new")) == [one("0", "label-0")]
    assert len(kept) == PER_ACCOUNT + 1


def test_a_session_is_one_browser(tmp_path: Path) -> None:
    kept = Subscriptions(tmp_path / "push.json")
    kept.add(one("a", "label"))
    assert kept.add(one("b", "label")) == [one("a", "label")]
    assert kept.add(one("b", "label-2", "ben")) == [one("b", "label")]
    assert [each.login for each in kept] == ["ben"]


def test_there_is_an_end_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS", 2)
    kept = Subscriptions(tmp_path / "push.json")
    for login in ("a", "b", "c"):
        kept.add(one(login, login, login))
    assert [each.login for each in kept] == ["b", "c"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 2}', b'{"subscriptions": [{"endpoint": 7}]}', b"\xff"])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "push.json"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadSecretFile, match="damaged; remove it"):
        Subscriptions(file)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    file.write_text("{}")
    file.chmod(0o644)
    with pytest.raises(BadSecretFile, match="others can read"):
        Subscriptions(file)
