"""Installing: the worker keeps the shell alone, starts without a network, brings new versions, shows notices.

With the real files and the real list that the gateway makes of them, from a small server that a test changes or stops.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from client.language import LANGUAGES
from client.web.edge.pages import BROWSER, Pages
from client.web.edge.security import HEADERS
from client.web.facts import facts
from tests.browser.chromium import Watched, holds, opened, until
from tests.support.patience import PATIENCE_MS

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
FACTS = {f"/facts/{lang}.json": json.dumps(facts(lang)).encode() for lang in LANGUAGES}
READY = "navigator.serviceWorker.ready.then(() => true)"
CONTROLLED = "navigator.serviceWorker.controller !== null"


class Shell:
    """A server of a copy of the browser's files; nobody is logged in there."""

    def __init__(self, directory: Path) -> None:
        self.files = directory / "browser"
        shutil.copytree(BROWSER, self.files)
        self.pages = Pages(FACTS, self.files)
        self.asked: list[str] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def changed(self, name: str, old: str, new: str) -> None:
        """Another version: a file of it says something else."""
        file = self.files / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        self.pages = Pages(FACTS, self.files)

    async def start(self) -> None:
        async def answer(request: web.Request) -> web.Response:
            self.asked.append(request.path)
            page = self.pages.find(request.path)
            found = page.answer(request) if page else web.json_response({"ok": False, "error": {}}, status=404)
            found.headers.update(HEADERS)
            return found

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@pytest_asyncio.fixture(loop_scope="session")
async def shell(chromium: Any, tmp_path: Path) -> AsyncIterator[Shell]:
    served = Shell(tmp_path)
    await served.start()
    yield served
    await served.stop()


async def arrived(watched: Watched) -> None:
    """Open the app, until there is something on the screen."""
    await watched.page.goto("/")
    await watched.page.locator("input").first.wait_for()


async def visited(watched: Watched) -> None:
    """Open the app for the first time, until its worker has all it needs."""
    await arrived(watched)
    await watched.page.evaluate(READY)
    await holds(watched.page, CONTROLLED)
    await holds(
        watched.page,
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).some(({ url }) => url.includes('/facts/'))))).includes(true)",
    )


TAKE_OVER = """navigator.serviceWorker.getRegistration().then(({ waiting }) =>
  waiting.postMessage({ kind: "take-over" }))"""
CACHED = """async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
  [name, (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)])))"""


async def test_the_app_starts_without_a_network_in_its_language(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url, locale="es-ES") as watched:
        await visited(watched)
        await shell.stop()
        await watched.page.reload()
        await watched.page.locator("input").first.wait_for()
        assert await watched.page.evaluate("document.documentElement.lang") == "es"
        assert watched.faults == []


async def test_the_worker_keeps_the_shell_and_nothing_else(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await visited(watched)
        asks = (
            "(path) => fetch(path, { method: path.startsWith('/api') ? 'POST' : 'GET' }).then(({ status }) => status)"
        )
        for path in ("/api/login", "/api/history", "/healthz", "/ws", "/app/unknown.js", "/?talk=@ana"):
            shell.asked.clear()
            await watched.page.evaluate(asks, path)
            assert shell.asked == [path.split("?")[0]], "what is not the shell goes to the gateway each time"
        [(name, kept)] = (await watched.page.evaluate(CACHED)).items()
        assert name.startswith("tertulia-")
        expected = {path for path in shell.pages.paths() if path != "/sw.js" and not path.startswith("/facts/")}
        assert set(kept) == expected | {"/facts/en.json"}


async def test_a_start_asks_the_gateway_for_nothing_of_the_app_but_a_new_worker(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await visited(watched)
        shell.asked.clear()
        await watched.page.reload()
        await watched.page.get_by_role("button", name="Log in").first.wait_for()
        assert set(shell.asked) <= {"/sw.js", "/api/server"}


async def test_a_new_version_comes_whole_and_is_not_forced(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await visited(watched)
        page = watched.page
        await page.locator("input").first.fill("half a na")
        before = await page.evaluate(CACHED)
        shell.changed("index.html", "<title>", '<meta name="newer"><title>')
        await page.evaluate("navigator.serviceWorker.getRegistration().then((each) => each.update())")
        await holds(watched.page, "navigator.serviceWorker.getRegistration().then((each) => each.waiting !== null)")
        assert await page.locator("input").first.input_value() == "half a na", "nobody was interrupted"
        assert not await page.locator("meta[name=newer]").count()
        # It may take over now: every page takes it together, and the version before is gone.
        await page.locator("input").first.fill("")
        await page.evaluate(TAKE_OVER)
        await holds(watched.page, "document.querySelector('meta[name=newer]') !== null")
        after = await page.evaluate(CACHED)
        assert len(after) == 1
        assert set(after) != set(before)
        assert sorted(*after.values()) == sorted(*before.values()), "the facts of the language came along"


async def test_a_version_that_does_not_come_whole_changes_nothing(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await visited(watched)
        page = watched.page
        before = await page.evaluate(CACHED)
        shell.changed("sw.js", "const FILES = [];", 'const FILES = []; FILES.push("/app/is-not-there.js");')
        await page.evaluate(
            """() => new Promise(async (done) => {
              const registration = await navigator.serviceWorker.getRegistration();
              registration.onupdatefound = () => {
                const worker = registration.installing;
                worker.onstatechange = () => worker.state === "redundant" && done();
              };
              registration.update();
            })"""
        )
        await shell.stop()
        await page.reload()
        await page.get_by_role("button", name="Log in").first.wait_for()
        assert before.items() <= (await page.evaluate(CACHED)).items()


async def test_chromium_would_install_it(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await visited(watched)
        devtools = await watched.context.new_cdp_session(watched.page)
        manifest = await devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        found = (await devtools.send("Page.getInstallabilityErrors"))["installabilityErrors"]
        assert {each["errorId"] for each in found} <= {"in-incognito"}  # as every context of a test is
        said = json.loads(manifest["data"])
        assert (said["id"], said["start_url"], said["scope"], said["display"]) == ("/", "/", "/", "standalone")
        for each in said["icons"]:
            sizes = await watched.page.evaluate(
                """async (src) => { const image = new Image(); image.src = src; await image.decode();
                  return `${image.naturalWidth}x${image.naturalHeight}`; }""",
                each["src"],
            )
            assert sizes == each["sizes"]
        assert {each["purpose"] for each in said["icons"]} == {"any", "maskable"}


PROMPT = """(outcome) => {
  const event = new Event("beforeinstallprompt", { cancelable: true });
  event.prompt = () => { window.prompted = (window.prompted ?? 0) + 1; };
  event.userChoice = Promise.resolve({ outcome });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}"""
STATE = "import('/app/install.js').then(({ installState }) => installState())"
CARD = """import('/app/install.js').then(({ installCard, installing }) => {
  const place = document.createElement("div");
  document.body.prepend(place);
  const show = () => place.replaceChildren(...[installCard()].filter(Boolean));
  installing.addEventListener("change", show);
  show();
})"""


async def test_the_browsers_question_is_asked_by_a_button_and_once(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        page = watched.page
        await arrived(watched)
        await page.evaluate(CARD)
        assert await page.evaluate(STATE) == "none"
        assert await page.evaluate(PROMPT, "accepted"), "the browser's own banner is held back"
        await page.get_by_role("button", name="Install").click()
        assert await page.evaluate("window.prompted") == 1
        await page.get_by_role("button", name="Install").wait_for(state="detached")
        await page.evaluate("window.dispatchEvent(new Event('appinstalled'))")
        assert await page.evaluate(STATE) == "installed"


@pytest.mark.parametrize("button", ["No, thanks", "Install"])
async def test_a_no_is_remembered(chromium: Any, shell: Shell, button: str) -> None:
    async with opened(chromium, shell.url) as watched:
        page = watched.page
        await arrived(watched)
        await page.evaluate(CARD)
        await page.evaluate(PROMPT, "dismissed")
        await page.get_by_role("button", name=button).click()
        await holds(watched.page, f"{STATE}.then((state) => state === 'refused')")
        await page.reload()
        await page.locator("input").first.wait_for()
        await page.evaluate(CARD)
        await page.evaluate(PROMPT, "accepted")
        assert await page.evaluate(STATE) == "refused"
        assert await page.get_by_role("button", name="Install").count() == 0


async def test_an_iphone_is_told_how_to_do_it_by_hand(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url, user_agent=IPHONE) as watched:
        page = watched.page
        await arrived(watched)
        await page.evaluate(CARD)
        await page.get_by_text("Share ▸ Add to Home Screen").wait_for()
        await page.evaluate("window.chat = { server: { push: true }, me: { login: 'ana' } }")
        assert await page.evaluate(PUSH, "pushState") == "install-first"
        await page.get_by_role("button", name="No, thanks").click()
        await page.get_by_text("Share ▸ Add to Home Screen").wait_for(state="detached")


# Notices


SHOWN = """() => {
  if (self.shown !== undefined) return self.shown;
  const { showNotification } = registration;
  registration.showNotification = async (...said) => {
    await showNotification.apply(registration, said);
    self.shown++;
  };
  return (self.shown = 0);
}"""


async def pushed(watched: Watched, data: str) -> None:
    """What the push service would deliver, until the worker has shown its notice.

    Whoever asks Chromium for the notices while one is on its way to the screen has it taken for one that is gone.
    """
    [worker] = watched.context.service_workers
    before = await worker.evaluate(SHOWN)
    devtools = await watched.context.new_cdp_session(watched.page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(each["registrationId"] for each in event["registrations"]),
    )
    await devtools.send("ServiceWorker.enable")
    await until(lambda: found)
    origin = await watched.page.evaluate("location.origin + '/'")
    fields = {"origin": origin, "registrationId": found[0], "data": data}
    await devtools.send("ServiceWorker.deliverPushMessage", fields)
    await holds(worker, f"shown > {before}")
    await devtools.detach()


NOTICES = f"""async (count) => {{
  const registration = await navigator.serviceWorker.ready;
  for (const end = performance.now() + {PATIENCE_MS}; performance.now() < end; ) {{
    const all = await registration.getNotifications();
    const found = all.map(({{ title, body, tag, data }}) => ({{ title, body, tag, data }}));
    if (found.some(({{ data }}) => data.count === count)) return found;
    await new Promise((done) => setTimeout(done, 500));
  }}
}}"""


def told(talk: str, body: str, seq: int, count: int = 1) -> str:
    title = talk.removeprefix("@") if talk.startswith("@") else f"#{talk}"
    said = {"title": title, "body": body, "talk": talk, "tag": talk, "seq": seq, "count": count}
    return json.dumps(said) + " " * 300


async def test_a_conversation_has_one_notice_which_counts(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url, permissions=["notifications"]) as watched:
        await visited(watched)
        await pushed(watched, told("@ben", "hola", 1))
        [first] = await watched.page.evaluate(NOTICES, 1)
        assert first == {"title": "ben", "body": "hola", "tag": "@ben", "data": {"talk": "@ben", "seq": 1, "count": 1}}
        await pushed(watched, told("@ben", "¿estás?", 5, 3))
        [second] = await watched.page.evaluate(NOTICES, 4)
        assert (second["title"], second["body"]) == ("ben (4)", "¿estás?")
        await pushed(watched, told("lobby", "ben: @ana", 9, 2))
        assert {each["title"] for each in await watched.page.evaluate(NOTICES, 2)} == {"ben (4)", "#lobby (2)"}
        # Looked at, it is gone, and counts anew.
        await watched.page.evaluate("import('/app/push.js').then(({ looked }) => looked('@ben'))")
        await pushed(watched, told("@ben", "otra vez", 10))
        both = await watched.page.evaluate(NOTICES, 1)
        assert {each["title"] for each in both} == {"ben", "#lobby (2)"}


async def test_no_notice_outlives_the_session(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url, permissions=["notifications"]) as watched:
        await visited(watched)
        await pushed(watched, told("@ben", "a secret", 1))
        await pushed(watched, told("lobby", "another", 2, 2))
        await watched.page.evaluate(NOTICES, 2)
        await watched.page.evaluate("import('/app/push.js').then(({ pushEnded }) => pushEnded())")
        left = "navigator.serviceWorker.ready.then((each) => each.getNotifications()).then((all) => all.length)"
        assert await watched.page.evaluate(left) == 0


@pytest.mark.parametrize("data", ["", "not JSON", "null", "[]", "7", '{"title": {"x": 1}, "tag": 7}'])
async def test_what_is_not_ours_still_is_a_notice_and_no_fault(chromium: Any, shell: Shell, data: str) -> None:
    async with opened(chromium, shell.url, permissions=["notifications"]) as watched:
        await visited(watched)
        await pushed(watched, data)
        assert len(await watched.page.evaluate(NOTICES, 1)) == 1
        assert watched.faults == []


async def test_a_tap_shows_the_conversation_in_the_page_that_is_open(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url, permissions=["notifications"]) as watched:
        await visited(watched)
        await watched.page.evaluate(
            "navigator.serviceWorker.addEventListener('message', ({ data }) => { window.opened = data; })"
        )
        await pushed(watched, told("@ben", "hola", 7))
        await watched.page.evaluate(NOTICES, 1)
        [worker] = watched.context.service_workers
        await worker.evaluate(
            """async () => {
              const [notification] = await registration.getNotifications();
              dispatchEvent(new NotificationEvent("notificationclick", { notification }));
            }"""
        )
        await holds(watched.page, "window.opened?.talk === '@ben' && window.opened.seq === 7")
        assert (
            await watched.page.evaluate(
                "navigator.serviceWorker.ready.then((each) => each.getNotifications()).then((all) => all.length)"
            )
            == 0
        )


# Subscribing: over a double of the browser's push service, which no test reaches.

DOUBLE = """
  window.service = { now: null, permission: "default", answer: "granted", asked: 0, made: 0 };
  const subscription = (options) => ({
    endpoint: `https://push.example.net/${++service.made}`,
    options: { applicationServerKey: options.applicationServerKey.slice().buffer },
    toJSON() { return { endpoint: this.endpoint, keys: { p256dh: "p", auth: "a" } }; },
    async unsubscribe() { service.now = null; return true; },
  });
  PushManager.prototype.getSubscription = async () => service.now;
  PushManager.prototype.subscribe = async (options) => {
    if (!options.userVisibleOnly) throw new Error("userVisibleOnly");
    return (service.now ??= subscription(options));
  };
  Object.defineProperty(Notification, "permission", { get: () => service.permission });
  Notification.requestPermission = async () => {
    service.asked += 1;
    return (service.permission = service.answer);
  };
  window.asked = [];
  window.chat = {
    me: { login: "ana" },
    server: { push: true },
    key: "BAAA",
    refuses: null,
    async request(op, fields = {}) {
      asked.push([op, fields.endpoint ?? fields.subscription?.endpoint]);
      if (op === this.refuses) throw Object.assign(new Error("no"), { code: "bad-request" });
      return op === "push-key" ? { key: this.key } : {};
    },
  };
"""
ROW = """import('/app/push.js').then(({ pushRow }) => document.body.prepend(pushRow(chat)))"""
PUSH = "(name) => import('/app/push.js').then((push) => push[name](chat))"


async def subscribing(watched: Watched) -> None:
    await visited(watched)
    await watched.page.evaluate(DOUBLE)


async def test_nobody_is_asked_before_they_want_it(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await subscribing(watched)
        page = watched.page
        await page.evaluate(PUSH, "pushAgain")
        await page.evaluate(ROW)
        switch = page.get_by_role("switch")
        assert await page.evaluate(PUSH, "pushState") == "off"
        assert await page.evaluate("service.asked") == 0
        await switch.check()
        await holds(watched.page, "asked.length === 2")
        assert await page.evaluate("asked") == [["push-key", None], ["push-add", "https://push.example.net/1"]]
        assert await page.evaluate(PUSH, "pushState") == "on"
        # A new link tells the gateway again, and asks nobody.
        await page.evaluate(PUSH, "pushAgain")
        assert await page.evaluate("asked.at(-1)") == ["push-add", "https://push.example.net/1"]
        assert await page.evaluate("service.asked") == 1
        await switch.uncheck()
        await holds(watched.page, "service.now === null")
        assert await page.evaluate("asked.at(-1)") == ["push-remove", "https://push.example.net/1"]
        assert await page.evaluate(PUSH, "pushState") == "off"


async def test_a_gateway_with_another_key_is_subscribed_to_anew(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await subscribing(watched)
        page = watched.page
        await page.evaluate(PUSH, "pushOn")
        await page.evaluate("chat.key = 'BBBB'")
        await page.evaluate(PUSH, "pushAgain")
        assert await page.evaluate("asked.at(-1)") == ["push-add", "https://push.example.net/2"]


async def test_whoever_logs_in_next_is_not_told_of_by_the_first_ones_wish(chromium: Any, shell: Shell) -> None:
    async with opened(chromium, shell.url) as watched:
        await subscribing(watched)
        page = watched.page
        await page.evaluate(PUSH, "pushOn")
        await page.evaluate("chat.me = { login: 'cris' }; asked.length = 0")
        assert await page.evaluate(PUSH, "pushState") == "off"
        await page.evaluate(PUSH, "pushAgain")
        assert await page.evaluate("[asked.length, service.now]") == [0, None]


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        ("service.answer = 'denied'", "blocked", "This browser forbids it"),
        ("chat.server.push = false", "impossible", "cannot do that"),
        ("chat.refuses = 'push-add'", "off", "no"),
    ],
)
async def test_what_stands_in_the_way_is_said(chromium: Any, shell: Shell, given: str, state: str, words: str) -> None:
    async with opened(chromium, shell.url) as watched:
        await subscribing(watched)
        page = watched.page
        await page.evaluate(given)
        await page.evaluate(ROW)
        switch = page.get_by_role("switch")
        if state != "impossible":
            await switch.click()
        await page.get_by_role("status").filter(has_text=words).first.wait_for()
        assert await page.evaluate(PUSH, "pushState") == state
        assert not await switch.is_checked()
