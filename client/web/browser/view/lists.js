/**
 * The column of lists: the conversations one has, all rooms, all people. Must not know what a conversation looks like.
 */
import { h } from "./dom.js";

/**
 * @param {HTMLElement} element @param {import("../core/chat.js").Chat} chat @param {import("./shell.js").Shell} shell
 * @returns {{view: Function, current: Function, focus: Function, beside: Function, unread: Function, destroy: Function}}
 */
export function mountLists(element, chat, shell) {
  const draw = () => element.replaceChildren(...[...chat.talks.keys()].map((key) => h("button", { onclick: () => shell.show(key) }, key)));
  chat.addEventListener("talks", draw);
  draw();
  return { view() {}, current() {}, focus() { element.querySelector("button")?.focus(); }, beside() {}, unread() {}, destroy() {} };
}
