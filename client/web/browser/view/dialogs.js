/**
 * What lies over everything for a while: dialogs, questions, menus. All are `<dialog>`s, so that Esc and the back gesture
 * close them, the rest cannot be reached, and the focus returns. Must not know what they are about.
 */
import { h, icon } from "./dom.js";
import { _ } from "./language.js";

/**
 * Open a dialog.
 * @param {string} title
 * @param {...any} content children, as of `h`
 * @returns {{element: HTMLDialogElement, close: () => void, closed: Promise<void>}}
 */
export function dialog(title, ...content) {
  const close = () => element.close();
  const shut = h("button", { type: "button", class: "round", "aria-label": _("Close"), onclick: close }, icon("close"));
  const element = h("dialog", { class: "dialog", "aria-label": title },
    h("div", { class: "sheet" }, h("header", { class: "bar" }, h("h2", { dir: "auto" }, title), shut), h("div", { class: "inside" }, content)));
  return { element, close, closed: opened(element) };
}

function opened(element) {
  document.body.append(element);
  const closed = new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve();
    });
  });
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  element.showModal();
  return closed;
}

/** Ask before something is done. @returns {Promise<boolean>} false, too, if it is put away */
export async function confirm({ title, text = "", ok, danger = false }) {
  let agreed = false;
  const answer = (yes) => {
    agreed = yes;
    asked.close();
  };
  const asked = dialog(title, text && h("p", { dir: "auto" }, text),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => answer(false) }, _("Cancel")),
      h("button", { type: "button", class: danger ? "danger" : "primary", autofocus: !danger, onclick: () => answer(true) }, ok)));
  await asked.closed;
  return agreed;
}

/**
 * A menu at `anchor`; where the screen is narrow, at its bottom.
 * @param {Element} anchor
 * @param {({label: string, act: () => void, icon?: string, danger?: boolean, checked?: boolean, hint?: string} | null)[]} items
 *   null divides
 * @param {string} [label] what it is a menu of
 */
export function menu(anchor, items, label = anchor.getAttribute("aria-label") ?? "") {
  const list = h("div", { class: "sheet", role: "menu", "aria-label": label, onkeydown: (event) => moved(event, list) });
  const element = h("dialog", { class: "menu", "aria-label": label }, list);
  for (const item of items) {
    if (!item) {
      list.append(h("hr", { role: "separator" }));
      continue;
    }
    const role = item.checked === undefined ? "menuitem" : "menuitemradio";
    const act = () => {
      element.close();
      item.act();
    };
    list.append(h("button", { type: "button", role, "aria-checked": item.checked, class: item.danger ? "bad" : "", onclick: act },
      item.checked ? icon("check") : item.icon ? icon(item.icon) : h("span", { class: "icon" }), h("span", { dir: "auto" }, item.label, item.hint && h("small", null, item.hint))));
  }
  opened(element);
  place(list, anchor.getBoundingClientRect());
  list.querySelector("button")?.focus();
}

/** Beside the anchor, within the window. The style sheet has the last word on narrow screens. */
function place(list, at) {
  const { width, height } = list.getBoundingClientRect();
  const below = at.bottom + height + 8 <= innerHeight || at.top < height + 8;
  list.style.setProperty("--x", `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`);
  list.style.setProperty("--y", `${Math.max(8, Math.min(below ? at.bottom + 4 : at.top - height - 4, innerHeight - height - 8))}px`);
}

/** Arrows, Home, End within a list of buttons or links. */
export function moved(event, list) {
  const items = [...list.querySelectorAll("button, a[href]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined || !items.length) return;
  event.preventDefault();
  items.at(to % items.length).focus();
}

/** What the keyboard does here. */
export function showKeys() {
  const rows = [
    ["Ctrl+K", _("Go to a conversation, a room, somebody")],
    ["Alt+↑ Alt+↓", _("The conversation above, below")],
    ["Alt+A", _("The next one with something unread")],
    ["Esc", _("Close what lies over the conversation")],
    ["Enter", _("Send")],
    ["Shift+Enter", _("A new line")],
    ["↑", _("In an empty field: edit what you said last")],
    ["/", _("At the beginning: a command; # works as well")],
  ];
  dialog(_("Keyboard"), h("dl", { class: "keys" }, rows.map(([key, what]) => [h("dt", null, h("kbd", null, key)), h("dd", null, what)])));
}
