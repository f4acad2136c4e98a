/**
 * The app begins: shows the form to log in or the conversations, whichever it is, while early.js has opened the socket.
 * What is not needed for that is loaded later. Must not know what a conversation looks like.
 */
import { Chat } from "./core/chat.js";
import { connect, spoken } from "./early.js";
import { routeOf } from "./view/address.js";
import { prefer, preferred } from "./view/device.js";
import { _ } from "./view/language.js";

/** The page's background, as css/base.css has it. */
const PAPER = { light: "#f6f3ee", dark: "#171513" };

const chat = new Chat({ connect });
const here = preferred("login");
const views = import("./view/shell.js");
/** @type {import("./view/shell.js").Shell | null} */
let shell = null;
/** Whether the conversations are to be shown, and not the form. */
let inside = false;

/** The conversations, from what is kept on this device until the broker has answered. */
async function converse() {
  inside = true;
  await spoken;
  const { Shell } = await views;
  if (inside) shell ??= new Shell(chat, document.body);
}

/** The form, with a word on why it is there. */
async function enter(reason = "") {
  inside = false;
  shell?.close();
  shell = null;
  await spoken;
  const { showEntrance } = await import("./view/enter.js");
  if (inside) return;
  showEntrance(document.body, {
    reason,
    async entered(login) {
      prefer("login", login);
      chat.start({ login });
      await converse();
    },
  });
}

/** Browsers give what this needs (cookies, the worker, IndexedDB without surprises) to pages over TLS only. */
async function explain() {
  await spoken;
  const { showInsecure } = await import("./view/enter.js");
  showInsecure(document.body);
}

/** What may wait until something is on the screen. */
async function afterwards() {
  const { begin } = await import("./install.js");
  begin({
    offer(reload) {
      if (shell) shell.toast(_("There is a new version."), { actions: [{ label: _("Reload"), act: reload }] });
      else if (![...document.querySelectorAll("input:not([type=checkbox])")].some((each) => each.value !== each.defaultValue)) reload();
    },
    busy: () => chat.waiting > 0 || [...document.querySelectorAll("textarea, dialog[open] input")].some((each) => each.value),
    open: (talk, seq) => shell?.show(talk, { seq }),
  });
}

// The browser may ask whether to install before anything is on the screen.
addEventListener("beforeinstallprompt", async (event) => {
  event.preventDefault();
  (await import("./install.js")).ready(event);
});
chat.addEventListener("link", async ({ detail }) => {
  if (detail.state === "live" && preferred("push")) (await import("./push.js")).pushAgain(chat);
});

function theme() {
  const wanted = preferred("theme");
  if (wanted) document.documentElement.dataset.theme = wanted;
  else delete document.documentElement.dataset.theme;
  // The system's bars take the colour of the page.
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.content = PAPER[wanted || (meta.media.includes("dark") ? "dark" : "light")];
  }
}

chat.addEventListener("me", () => {
  // Another tab may have logged somebody else in.
  if (chat.me && chat.me.login !== preferred("login")) prefer("login", chat.me.login);
});

/** Nothing of whoever was here is for who comes next: neither whom they spoke with, nor what they were told of. */
function left() {
  prefer("last", "");
  if (globalThis.Notification?.permission === "granted") import("./push.js").then(({ pushEnded }) => pushEnded()).catch(() => {});
}
theme();
addEventListener("tertulia-preference", ({ detail: { name } }) => {
  if (name === "theme") theme();
});
chat.addEventListener("ended", ({ detail }) => {
  prefer("login", "");
  left();
  if (detail.reason === "logout") history.replaceState(null, "", "/");
  enter(detail.reason);
});
chat.addEventListener("account", () => {
  shell?.close();
  shell = null;
  left();
  history.replaceState(null, "", "/");
  converse();
});
document.addEventListener("visibilitychange", () => chat.visible(!document.hidden));
if (!isSecureContext) explain();
else if (here) {
  chat.start({ login: here, talk: routeOf(location.hash).key ?? preferred("last") });
  converse();
} else enter();
/** Without a line the files of it do not come: then later. */
const later = (ms) => setTimeout(() => afterwards().catch(() => later(30_000)), ms);
if (isSecureContext) later(1500);
