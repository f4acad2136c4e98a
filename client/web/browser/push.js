/**
 * Notices while no page is open: asking the person, the browser, and telling the gateway.
 *
 * Must not know what is told nor when: that is the gateway's matter (`client/web/push/`), and showing it is `sw.js`'s.
 */
import { onIos, standalone } from "./install.js";
import { prefer, preferred } from "./view/device.js";
import { h } from "./view/dom.js";
import { _, sentence } from "./view/language.js";

/**
 * "on", "off"; "blocked": the person or the system forbade it in the browser's settings; "install-first": on iOS only
 * from the home screen; "impossible": this browser cannot, or the gateway sends none.
 * @typedef {"on"|"off"|"blocked"|"install-first"|"impossible"} PushState
 */

const possible = () => "PushManager" in window && "Notification" in window && Boolean(navigator.serviceWorker);
const registered = () => navigator.serviceWorker?.getRegistration();
const subscribed = async () => (await registered())?.pushManager?.getSubscription() ?? null;
/** Who asked for it on this device: nobody else's messages are told here. */
const asked = (chat) => Boolean(chat.me) && preferred("push") === chat.me.login;

/** How it stands on this device. @param {import("./core/chat.js").Chat} chat @returns {Promise<PushState>} */
export async function pushState(chat) {
  if (onIos() && !standalone()) return "install-first";
  if (!possible() || !chat.server.push || !(await registered())) return "impossible";
  if (Notification.permission === "denied") return "blocked";
  return asked(chat) && Notification.permission === "granted" && (await subscribed()) ? "on" : "off";
}

/** Ask for permission and subscribe; only from within a click. @returns {Promise<PushState>} Rejects as `request` does. */
export async function pushOn(chat) {
  if (!possible()) return pushState(chat);
  if ((await Notification.requestPermission()) === "granted") {
    await subscribe(chat);
    prefer("push", chat.me.login);
  }
  return pushState(chat);
}

/** Subscribe with the gateway's key, unless that is done, and tell the gateway. */
async function subscribe(chat) {
  const { pushManager } = await navigator.serviceWorker.ready;
  const { key } = await chat.request("push-key");
  const bytes = Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
  let now = await pushManager.getSubscription();
  const before = now?.options.applicationServerKey;
  if (before && String(new Uint8Array(before)) !== String(bytes)) { // the gateway has another key than it had
    await now.unsubscribe();
    now = null;
  }
  now ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes });
  await chat.request("push-add", { subscription: now.toJSON() });
}

/** End it on this device. Call it before logging out, too. @returns {Promise<PushState>} */
export async function pushOff(chat) {
  const now = await subscribed();
  prefer("push", "");
  if (now) {
    await now.unsubscribe();
    await chat.request("push-remove", { endpoint: now.endpoint }).catch(() => { /* It will find nobody there. */ });
  }
  return pushState(chat);
}

/** With each new link: tell the gateway again of what is subscribed, for either may have lost it. */
export async function pushAgain(chat) {
  if (!possible() || Notification.permission !== "granted") return;
  if (asked(chat)) await subscribe(chat).catch(() => { /* With the next link. */ });
  else await (await subscribed())?.unsubscribe();
}

/** Nobody is logged in any more: no notice stays, and none comes until they are back, when `pushAgain` subscribes anew. */
export async function pushEnded() {
  for (const notice of (await (await registered())?.getNotifications()) ?? []) notice.close();
  await (await subscribed())?.unsubscribe();
}

/** Take away the notice of a conversation that is now looked at. @param {string} talk */
export async function looked(talk) {
  for (const notice of (await (await registered())?.getNotifications({ tag: talk })) ?? []) notice.close();
}

/** A row for the settings: what it is, how it stands, and a switch. Keeps itself up to date. @returns {HTMLElement} */
export function pushRow(chat) {
  const hint = h("small", { role: "status" });
  const box = h("input", { type: "checkbox", role: "switch", disabled: true, onchange: turn });
  const show = (state, error) => {
    const hints = {
      blocked: _("This browser forbids it: allow notifications for this page in its settings."),
      "install-first": _("Put Tertulia on your home screen first; from there it can tell you."),
      impossible: _("This browser, or this server, cannot do that."),
    };
    box.checked = state === "on";
    box.disabled = state in hints;
    hint.textContent = error ? sentence(error) : hints[state] ?? _("Of private messages, and of those that name you.");
  };
  const look = () => pushState(chat).then(show);
  async function turn() {
    const on = box.checked;
    box.disabled = true;
    try {
      show(await (on ? pushOn(chat) : pushOff(chat)));
    } catch (error) {
      show(await pushState(chat), error);
    }
  }
  look();
  return h("label", { class: "setting" }, h("span", null, _("Tell me when this page is closed"), hint), box);
}
