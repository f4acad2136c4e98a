/**
 * Installing: the service worker, the offer of a new version, and the way to the home screen.
 *
 * Must not know the broker or what is shown besides; who draws the page says how a version is offered and how a
 * conversation is opened.
 */
import { prefer, preferred } from "./view/device.js";
import { h } from "./view/dom.js";
import { _, lang } from "./view/language.js";

const LOOK_MS = 15 * 60_000;

/**
 * What may be offered here. "installed": it runs from the home screen. "ready": `install()` shows the browser's own
 * question. "ios": only by hand, "Share ▸ Add to Home Screen". "refused": the person said no. "none": this browser
 * cannot, or has not made up its mind yet.
 * @typedef {"installed"|"ready"|"ios"|"refused"|"none"} InstallState
 */

/** Emits "change" whenever `installState()` has a new answer. */
export const installing = new EventTarget();

/** @type {any} the browser's question, not asked yet */
let question = null;
let done = false;
const changed = () => installing.dispatchEvent(new Event("change"));

/** The browser would install: its `beforeinstallprompt`, which whoever starts the page listens for. */
export function ready(event) {
  question = event;
  changed();
}

addEventListener("appinstalled", () => {
  done = true;
  question = null;
  changed();
});

/** Whether this page runs from the home screen. */
export const standalone = () => matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;

/** Whether this is an iPhone or an iPad, which calls itself a Mac. */
export const onIos = () =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

/** @returns {InstallState} */
export function installState() {
  if (done || standalone()) return "installed";
  if (preferred("install") === "no") return "refused";
  if (question) return "ready";
  return onIos() ? "ios" : "none";
}

/** Ask the browser to install; only from within a click. @returns {Promise<boolean>} whether the person agreed */
export async function install() {
  const asked = question;
  if (!asked) return false;
  question = null; // a browser answers each but once
  changed();
  asked.prompt();
  const { outcome } = await asked.userChoice;
  if (outcome === "dismissed") notNow();
  return outcome === "accepted";
}

/** The person does not want to be asked; remembered on this device. */
function notNow() {
  prefer("install", "no");
  changed();
}

/** What to offer, ready to be put on the page: text and buttons; null if there is nothing. @returns {HTMLElement|null} */
export function installCard() {
  const state = installState();
  if (state !== "ready" && state !== "ios") return null;
  const text = state === "ios"
    ? _("In Safari, tap Share ▸ Add to Home Screen. Then it opens like any other app, and can tell you of messages.")
    : _("It opens like any other app, also without a network.");
  return h("section", { class: "card" }, h("h2", null, _("Put Tertulia on your home screen")), h("p", null, text),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "plain", onclick: notNow }, _("No, thanks")),
      state === "ready" && h("button", { type: "button", class: "primary", onclick: install }, _("Install"))));
}

/**
 * Register the service worker, once the first screen is there. Call it once. A new version is taken at once while
 * nobody looks, and offered otherwise.
 * @param {object} page
 * @param {(reload: () => void) => void} page.offer  a new version is ready: show it, with a button that calls `reload`
 * @param {() => boolean} page.busy  whether something is typed that a reload would disturb
 * @param {(talk: string, seq?: number) => void} page.open  show a conversation: somebody tapped its notice
 * @returns {Promise<ServiceWorkerRegistration|null>}  null where there are none (no TLS, private windows)
 */
export async function begin({ offer, busy, open }) {
  const workers = navigator.serviceWorker;
  // Trusted Types let this one name become a script, and nothing else.
  const rule = globalThis.trustedTypes?.createPolicy("tertulia", { createScriptURL: () => "/sw.js" });
  const registration = await workers?.register(rule?.createScriptURL("") ?? "/sw.js").catch(() => null);
  if (!registration) return null;
  workers.addEventListener("message", ({ data }) => {
    if (data?.kind === "open" && data.talk) open(data.talk, data.seq);
  });
  // What the page fetched before there was a worker, it has to be told of.
  workers.ready.then(({ active }) => active?.postMessage({ kind: "keep", path: `/facts/${lang}.json` }));
  newVersions(registration, workers, offer, busy);
  return registration;
}

function newVersions(registration, workers, offer, busy) {
  let first = !workers.controller;
  let waiting = false;
  let agreed = false;
  let looked = Date.now();
  const reload = () => {
    agreed = true;
    if (registration.waiting) registration.waiting.postMessage({ kind: "take-over" });
    else location.reload();
  };
  const settle = () => {
    if (document.hidden && !busy()) reload();
    else if (!waiting) offer(reload);
    waiting = true;
  };
  const watch = (worker) => {
    const look = () => worker.state === "installed" && workers.controller && settle();
    worker?.addEventListener("statechange", look);
    if (worker) look();
  };
  watch(registration.waiting ?? registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  workers.addEventListener("controllerchange", () => {
    if (first) first = false; // the very first worker took over the page that brought it
    else if (agreed) location.reload();
    else { // another page agreed
      waiting = false;
      settle();
    }
  });
  const look = () => {
    if (document.hidden && waiting) settle();
    if (document.hidden || Date.now() - looked < LOOK_MS) return;
    looked = Date.now();
    registration.update().catch(() => { /* Offline: next time. */ });
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MS);
}
