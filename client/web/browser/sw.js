/**
 * The service worker: the shell without a network, and notices while no page is open.
 *
 * Keeps the shell and nothing else: no message, nothing of /api, /ws or /hook passes through here. VERSION and FILES are
 * filled in by the gateway (`client/web/edge/pages.py`), so that a new shell is a new worker. Cache first: the whole
 * version is fetched into a cache of its own before any of it is used, so that a page never mixes two versions, and
 * starts without asking the network; what is new is found by looking at this file, and offered by `install.js`.
 * Must not know messages, sessions or the wire, but for telling the gateway that the push service has moved somebody.
 */
"use strict";

const VERSION = "{{version}}"; // a hash of all that FILES names and of the facts
const FILES = []; // {{files}}
const CACHE = `tertulia-${VERSION}`;
const FACTS = "/facts/";
const ICON = "/app/icons/192.png";
const BADGE = "/app/icons/badge.png";

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(sweep()));

/** Fetch the whole shell, and the facts in the languages that were used; all of it, or the old version stays. */
async function fill() {
  const cache = await caches.open(CACHE);
  const facts = [];
  for (const name of await caches.keys()) {
    if (!name.startsWith("tertulia-") || name === CACHE) continue;
    for (const kept of await (await caches.open(name)).keys()) {
      const { pathname } = new URL(kept.url);
      if (pathname.startsWith(FACTS) && !facts.includes(pathname)) facts.push(pathname);
    }
  }
  await cache.addAll(["/", ...FILES, ...facts].map((path) => new Request(path, { cache: "no-cache" })));
}

/** Take over the pages that have none yet, and forget the versions before. */
async function sweep() {
  for (const name of await caches.keys()) {
    if (name.startsWith("tertulia-") && name !== CACHE) await caches.delete(name);
  }
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/") event.respondWith(kept("/", request));
  else if (FILES.includes(url.pathname)) event.respondWith(kept(url.pathname, request));
  else if (url.pathname.startsWith(FACTS)) event.respondWith(keep(url.pathname, request));
});

/** From this version's cache; from the network if the browser has cleared that. */
async function kept(path, request) {
  return (await (await caches.open(CACHE)).match(path, { ignoreVary: true })) ?? fetch(request);
}

/** The same, and keep what came. */
async function keep(path, request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(path, { ignoreVary: true });
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && !answer.redirected) await cache.put(path, answer.clone());
  return answer;
}

addEventListener("message", (event) => {
  const { kind, path } = event.data ?? {};
  if (kind === "take-over") event.waitUntil(skipWaiting());
  if (kind === "keep" && /^\/facts\/[a-z]+\.json$/.test(path)) event.waitUntil(keep(path, path).catch(() => {}));
});

addEventListener("push", (event) => event.waitUntil(tell(event.data)));

/** One notice for a conversation: the newest text, and how many there are. */
async function tell(data) {
  let push = {};
  try {
    push = data?.json() ?? {};
  } catch {
    // Not ours; a browser that was promised a notice for each push wants to see one.
  }
  const tag = String(push.tag ?? "tertulia");
  const [before] = await registration.getNotifications({ tag });
  const count = (before?.data?.count ?? 0) + (push.count ?? 1);
  const title = String(push.title ?? "Tertulia");
  await registration.showNotification(count > 1 ? `${title} (${count})` : title, {
    body: String(push.body ?? ""),
    tag,
    renotify: true,
    icon: ICON,
    badge: BADGE,
    data: { talk: push.talk, seq: push.seq, count },
  });
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data ?? {}));
});

/** Bring a page to the front, one that is open if there is one, and show the conversation. */
async function open({ talk, seq }) {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => one.visibilityState === "visible") ?? pages[0];
  if (!page) return clients.openWindow(talk ? `/#/talk/${encodeURIComponent(talk)}${seq ? `/${seq}` : ""}` : "/");
  page.postMessage({ kind: "open", talk, seq });
  return page.focus();
}

addEventListener("pushsubscriptionchange", (event) => event.waitUntil(moved(event)));

/** The push service has moved this browser: subscribe there, and tell the gateway, for no page may be open for days. */
async function moved({ oldSubscription, newSubscription }) {
  const { options } = oldSubscription ?? {};
  const subscription = newSubscription ?? (options && (await registration.pushManager.subscribe(options)));
  if (!subscription) return;
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, "tertulia.1");
  await new Promise((done) => {
    socket.onopen = () => {
      socket.send(JSON.stringify({ op: "hello", id: 1, run: null, cursors: {} }));
      socket.send(JSON.stringify({ op: "push-add", id: 2, subscription }));
    };
    socket.onmessage = ({ data }) => JSON.parse(data).id === 2 && done();
    socket.onclose = done;
  });
  socket.close();
}
