"""The app in a real Chromium on a phone of the throttled kind: how soon the first message is there, how smoothly ten
thousand scroll, how many bytes the shell is, and what Lighthouse says.

A phone is a CPU four times slower than this one's, behind the slow 4G that Lighthouse uses: 150 ms there and back,
1.6 Mbit/s down, 750 kbit/s up, set by Chromium's own means, which hold up WebSockets too. What is measured is a release
of the gateway and a broker on this machine, by loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import zmq

from bench.members import Member, send_frame
from bench.processes import broker, gateway
from tests.browser.chromium import PHONE, executable, launched
from tests.generated import ROOT
from tests.support.gateway import PASSWORD

CPU: Final = 4
NETWORK: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
LOGIN: Final = "phone"
TALK: Final = "/#/talk/lobby"
CLIMBS: Final = ((1, 15_000, 60), (CPU, 1_500, 10), (CPU, 4_000, 10), (CPU, 15_000, 60))
"""How many times slower than this one a CPU is, pixels a second, and gestures at most: as one reads, as one flicks, and
as fast as the wheel turns, all ten thousand up to the first."""
PRESENTED: Final = "SubmitCompositorFrameToPresentationCompositorFrame"
"""What the trace calls the time from a frame drawn to its being seen."""
WORDS: Final = "what people write in a room is mostly short and now and then a little longer than that "

# When the first message has been drawn and handed to the compositor, in ms since the navigation began.
WATCH: Final = """
window.firstMessage = new Promise((resolve) => new MutationObserver((_, watcher) => {
  if (!document.querySelector(".row .msg")) return;
  watcher.disconnect();
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now());
    channel.port2.postMessage(0);
  });
}).observe(document, { childList: true, subtree: true }));
"""
COUNT: Final = """
() => {
  const frames = window.frames_ = [];
  const next = (now) => { frames.push(now); window.counting = requestAnimationFrame(next); };
  window.counting = requestAnimationFrame(next);
}
"""
COUNTED: Final = "() => { cancelAnimationFrame(window.counting); return window.frames_; }"


def page(quick: bool) -> None:
    """Print all of it."""
    if executable() is None:
        print("page: needs Chromium: apt install chromium, or name it in CHROME_PATH")
        return
    with served(1_000 if quick else 10_000) as port:
        url = f"http://localhost:{port}"
        asyncio.run(_driven(url, quick))
        lighthouse(url)
        with behind_caddy(port) as url:
            asyncio.run(_started(url, quick))


@contextlib.contextmanager
def served(messages: int) -> Iterator[int]:
    """A broker with so many messages in the lobby, all to be read by `LOGIN`, and a gateway; its port."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with broker() as server, gateway(server, "--trusted-proxy", "127.0.0.1") as (_process, port):
        Member(context, server.address, LOGIN)
        _fill(Member(context, server.address, "sender", ears=False), messages)
        yield port
    context.destroy(0)


@contextlib.contextmanager
def behind_caddy(port: int) -> Iterator[str]:
    """The gateway as `docs/WEB.md` has it served to phones, over TLS and HTTP/2 by Caddy; its URL."""
    program = shutil.which("caddy")
    if program is None:
        print("page: the start over HTTP/2 needs Caddy: apt install caddy")
        return
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as free:
        front = free.getsockname()[1]
        free.close()
        file = Path(directory, "Caddyfile")
        told = "admin off\nauto_https disable_redirects\nskip_install_trust"
        site = f"bind 127.0.0.1\ntls internal\nreverse_proxy 127.0.0.1:{port}"
        file.write_text(f"{{\n{told}\n}}\nhttps://localhost:{front} {{\n{site}\n}}\n", encoding="utf-8")
        process = subprocess.Popen(
            [program, "run", "--config", str(file), "--adapter", "caddyfile"],
            env={**os.environ, "XDG_DATA_HOME": directory, "XDG_CONFIG_HOME": directory},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if "serving initial configuration" in line:
                    break
            yield f"https://localhost:{front}"
        finally:
            process.terminate()
            process.wait(20)


def _fill(sender: Member, messages: int) -> None:
    """Numbered messages of several lengths, some in two lines."""
    for number in range(1, messages + 1):
        text = (
            f"{number}: " + (WORDS * 3)[: 20 + number * 37 % 200] + ("\nand a second line" if number % 9 == 0 else "")
        )
        sender.dealer.send(send_frame(number, text))
        if number % 64 == 0 or number == messages:
            for _ in range(number - 1 & 63, -1, -1):
                reply = sender.dealer.recv()
                if b"\xa5error" in reply:
                    raise RuntimeError(reply)


async def _started(url: str, quick: bool) -> None:
    print("over HTTP/2, by Caddy:")
    async with launched() as browser:
        await cold_starts(browser, url, await logged_in(browser, url), 2 if quick else 5)


async def logged_in(browser: Any, url: str) -> Any:
    """What a browser keeps of a login, to begin with as often as one likes."""
    context = await browser.new_context(base_url=url, ignore_https_errors=True, **PHONE)
    answer = await context.request.post(
        "/api/login",
        data={"login": LOGIN, "password": PASSWORD, "keep": True, "lang": "en"},
        headers={"Origin": url},
    )
    if not answer.ok:
        raise RuntimeError(await answer.text())
    cookies = await context.storage_state()
    # What the form leaves behind beside the cookie: whose conversations to show before the broker has answered.
    kept = [{"name": "tertulia", "value": json.dumps({"login": LOGIN})}]
    cookies["origins"] = [{"origin": url, "localStorage": kept}]
    await context.close()
    return cookies


async def _driven(url: str, quick: bool) -> None:
    async with launched() as browser:
        cookies = await logged_in(browser, url)
        await cold_starts(browser, url, cookies, 2 if quick else 5)
        for rate, speed, gestures in CLIMBS:
            await scrolling(browser, url, cookies, rate, speed, 3 if quick else gestures)


@contextlib.asynccontextmanager
async def _phone(browser: Any, url: str, cookies: Any, rate: int) -> AsyncIterator[tuple[Any, Any]]:
    """A page and its DevTools session, in a browser that was never here but is logged in."""
    context = await browser.new_context(base_url=url, storage_state=cookies, ignore_https_errors=True, **PHONE)
    try:
        opened = await context.new_page()
        tools = await context.new_cdp_session(opened)
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": rate})
        yield opened, tools
    finally:
        await context.close()


async def cold_starts(browser: Any, url: str, cookies: Any, runs: int) -> None:
    """To the first message on the screen, nothing cached."""
    times, sizes = [], []
    for _ in range(runs):
        async with _phone(browser, url, cookies, CPU) as (opened, tools):
            transferred = []
            tools.on("Network.loadingFinished", lambda event, all_=transferred: all_.append(event["encodedDataLength"]))
            await tools.send("Network.enable")
            await tools.send("Network.emulateNetworkConditions", NETWORK)
            await opened.add_init_script(WATCH)
            await opened.goto(TALK, wait_until="commit")
            times.append(await opened.evaluate("() => window.firstMessage"))
            sizes.append((sum(transferred), len(transferred)))
    size, files = sizes[0]
    tree = [path for path in (ROOT / "client/web/browser").rglob("*") if path.is_file()]
    print(
        f"cold start on a phone to the first message   {statistics.median(times):9.0f} ms median of {runs}"
        f"   ({min(times):.0f} to {max(times):.0f})"
    )
    print(
        f"until then                                   {size / 1_024:9.1f} KiB in {files} files;"
        f" the whole app is {sum(path.stat().st_size for path in tree) / 1_000:.1f} kB raw in {len(tree)}",
        flush=True,
    )


async def scrolling(browser: Any, url: str, cookies: Any, rate: int, speed: int, gestures: int) -> None:
    """From the end towards the first message, older ones loaded on the way; each gesture takes two seconds."""
    async with _phone(browser, url, cookies, rate) as (opened, tools):
        await opened.goto(TALK)
        await opened.locator(".row .msg").first.wait_for()
        box = await opened.locator(".log").bounding_box()
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        categories = ["cc", "benchmark"]
        await browser.start_tracing(page=opened, categories=categories)
        gaps: list[float] = []
        pixels = 0
        for _ in range(gestures):
            await opened.evaluate(COUNT)
            gesture = {**middle, "yDistance": 2 * speed, "speed": speed, "gestureSourceType": "mouse"}
            await tools.send("Input.synthesizeScrollGesture", {**gesture, "preventFling": True})
            frames = await opened.evaluate(COUNTED)
            pixels += gesture["yDistance"]
            gaps += [after - before for before, after in itertools.pairwise(frames)]
            oldest = await opened.locator(".row .msg .body").first.inner_text()
            if oldest.startswith("1: "):
                break
        oldest = await opened.locator(".row .msg .body").first.inner_text()
        trace = json.loads(await browser.stop_tracing())["traceEvents"]
    seconds = sum(gaps) / 1_000
    # Several events tell of one frame, all with the moment at which it was seen; the browser's own frame is of another
    # process, and is drawn less often.
    seen = {(event["pid"], event["ts"]) for event in trace if event["name"] == PRESENTED and event["ph"] == "e"}
    drawn = max(Counter(pid for pid, _ in seen).values())
    name = f"scrolling {pixels:,} px at {speed:,} px/s, CPU {rate} times slower"
    print(
        f"{name:60}{len(gaps) / seconds:9.1f} frames/s of the page, {drawn / seconds:.1f} drawn in the trace"
        f"; longest gap {max(gaps):.0f} ms, {sum(gap > 34 for gap in gaps) / len(gaps):.1%}"
        f" above 34 ms; up to message {oldest.partition(':')[0]}",
        flush=True,
    )


def lighthouse(url: str) -> None:
    """Lighthouse's scores for installing and accessibility; version 11 is the last that judges the former."""
    if shutil.which("npx") is None:
        print("lighthouse: needs npx")
        return
    command = ["npx", "--yes", "lighthouse@11", url, "--only-categories=pwa,accessibility,best-practices,performance"]
    command += ["--output=json", "--quiet", f"--chrome-flags={' '.join(('--headless=new', '--no-sandbox'))}"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "CHROME_PATH": executable() or ""}, timeout=300
    )
    if done.returncode:
        print(f"lighthouse: failed: {done.stderr[-500:]}")
        return
    report = json.loads(done.stdout)
    scores = ", ".join(f"{name} {round(part['score'] * 100)}" for name, part in report["categories"].items())
    print(f"lighthouse 11, the page before the login         {scores}")
    for part in report["categories"].values():
        for ref in part["auditRefs"]:
            audit = report["audits"][ref["id"]]
            if ref["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                print(f"    {part['title']}: {audit['title']} ({audit['score']})")
