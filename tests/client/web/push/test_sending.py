"""What a push service sees of a notice, what a browser reads of it, and that it goes nowhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web
from py_vapid import Vapid02

from client.web.push.bounds import AT_WORK, BACK_OFF_S, TTL_S
from client.web.push.sending import Outcome, Sender, public_connector
from client.web.push.subscriptions import Subscription, parse
from client.web.push.vapid import Vapid
from tests.client.web.push.service import Browser, Service

NOW = 1_800_000_000
VAPID = Vapid(os.urandom(32), "mailto:ana@example.net")


def of(browser: Browser) -> Subscription:
    return parse(browser.subscription, "label", "ana")


@pytest.fixture
async def sender(service: Service) -> AsyncIterator[Sender]:
    made = Sender(VAPID, service.connector, lambda: NOW)
    yield made
    await made.close()


async def test_only_the_browser_reads_what_is_sent(sender: Sender, service: Service) -> None:
    browser = Browser("a-secret-path")
    outcome = await sender.post(of(browser), b'{"title": "ben", "body": "hola"}', "@ben", urgent=True)
    assert outcome == Outcome(True, "201")
    arrived = service.arrived.get_nowait()
    assert arrived.path == "/a-secret-path"
    assert b"hola" not in arrived.body
    assert browser.read(arrived.body) == {"title": "ben", "body": "hola"}
    headers = arrived.headers
    assert (headers["TTL"], headers["Urgency"], headers["Content-Encoding"]) == (str(TTL_S), "high", "aes128gcm")
    assert headers["Topic"] == VAPID.topic(browser.endpoint, "@ben")
    assert Vapid02.verify(headers["Authorization"])
    assert "ben" not in str(headers)
    assert "Cookie" not in headers


async def test_what_can_wait_says_so(sender: Sender, service: Service) -> None:
    await sender.post(of(Browser("x")), b"{}", "lobby", urgent=False)
    assert service.arrived.get_nowait().headers["Urgency"] == "normal"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Outcome(True, "200")),
        (202, Outcome(True, "202")),
        (307, Outcome(False, "307")),
        (400, Outcome(False, "400")),
        (403, Outcome(False, "403")),
        (404, Outcome(False, "404", gone=True)),
        (410, Outcome(False, "410", gone=True)),
        (413, Outcome(False, "413")),
        (429, Outcome(False, "429", later=True)),
        (500, Outcome(False, "500", later=True)),
        (503, Outcome(False, "503", later=True)),
    ],
)
async def test_what_the_service_says(sender: Sender, service: Service, status: int, expected: Outcome) -> None:
    service.answers.append(web.Response(status=status, headers={"Location": "https://push.example.net/elsewhere"}))
    assert await sender.post(of(Browser("x")), b"{}", "lobby", urgent=True) == expected
    assert service.arrived.qsize() == 1, "a redirect is not followed"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("999999", BACK_OFF_S[1]),
        (format_datetime(datetime.fromtimestamp(NOW + 42, UTC), usegmt=True), 42.0),
        (format_datetime(datetime.fromtimestamp(NOW - 42, UTC), usegmt=True), 0.0),
        ("Mon, 99 Foo 2027", 0.0),
        ("-5", 0.0),
        ("٣", 0.0),
        ("1e9", 0.0),
        ("", 0.0),
    ],
)
async def test_how_long_it_wants_to_be_left_in_peace(
    sender: Sender, service: Service, said: str, seconds: float
) -> None:
    service.answers.append(web.Response(status=429, headers={"Retry-After": said}))
    assert (await sender.post(of(Browser("x")), b"{}", "lobby", urgent=True)).wait == seconds


async def test_a_certificate_that_nobody_vouches_for_is_told_nothing(service: Service) -> None:
    made = Sender(VAPID, lambda: aiohttp.TCPConnector(resolver=service), lambda: NOW)
    outcome = await made.post(of(Browser("x")), b"{}", "lobby", urgent=True)
    await made.close()
    assert (outcome.delivered, outcome.cause) == (False, "certificate")
    assert service.nothing_came()


async def test_a_name_that_leads_into_a_private_network_leads_nowhere(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.get_running_loop().getaddrinfo

    async def lying(host: str, _port: int, **more: object) -> object:
        return await real("127.0.0.1", service.port, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lying)
    made = Sender(VAPID, public_connector, lambda: NOW)
    outcome = await made.post(of(Browser("x")), b"{}", "lobby", urgent=True)
    await made.close()
    assert (outcome.delivered, outcome.cause, outcome.later) == (False, "address-not-public", True)
    assert service.nothing_came()


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
async def test_a_file_that_was_tampered_with_leads_nowhere_either(service: Service, host: str) -> None:
    browser = Browser("x")
    found = of(browser)
    made = Sender(VAPID, public_connector, lambda: NOW)
    to = Subscription(
        endpoint=f"https://{host}:{service.port}/x", p256dh=found.p256dh, auth=found.auth, label="label", login="ana"
    )
    outcome = await made.post(to, b"{}", "lobby", urgent=True)
    await made.close()
    assert not outcome.delivered
    assert service.nothing_came()


async def test_so_many_go_out_at_once(service: Service) -> None:
    entered, most, let = 0, 0, asyncio.Event()
    full = asyncio.Event()

    async def take(_request: web.Request) -> web.Response:
        nonlocal entered, most
        entered += 1
        most = max(most, entered)
        if entered == AT_WORK:
            full.set()
        await let.wait()
        entered -= 1
        return web.Response(status=201)

    service.take = take  # type: ignore[method-assign]
    made = Sender(VAPID, service.connector, lambda: NOW)
    to = of(Browser("x"))
    posts = [asyncio.create_task(made.post(to, b"{}", str(n), urgent=True)) for n in range(3 * AT_WORK)]
    await full.wait()
    let.set()
    assert all(outcome.delivered for outcome in await asyncio.gather(*posts))
    assert most == AT_WORK
    await made.close()
