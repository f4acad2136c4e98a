/**
 * What can be done to one message, and the sheet that offers it. Must not know how a message is drawn.
 */
import { h } from "../view/dom.js";
import { _, moment } from "../view/language.js";
import { load, sign as signOf } from "./emoji.js";
import { line } from "./text.js";

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

/**
 * Do something to a message.
 * @param {import("./pane.js").Pane} pane
 * @param {string} what "more" offers all
 * @param {import("../core/chat.js").Entry} item
 * @param {HTMLElement} anchor where the focus returns to
 * @param {string} value of "react": the emoji, or "" to choose one
 */
export function actions(pane, what, item, anchor, value = "") {
  const { chat, composer } = pane;
  const there = item.seq > 0 && !item.retracted;
  const no = () => pane.shell.toast(_("That cannot be done to this message."));
  const put = (emoji) => {
    const on = !item.reactions.some((each) => each.emoji === emoji && each.mine);
    attempt(() => chat.react(item, emoji, on));
  };
  const attempt = (act) => {
    try {
      act();
    } catch (error) {
      pane.failed(error);
    }
  };
  const does = {
    reply: () => (there ? composer.reply(item) : no()),
    edit: () => {
      if (!item.mine) pane.shell.toast(_("Only your own messages can be edited."));
      else if (item.state === "failed") chat.discard(item) && composer.put(item.text);
      else if (there) composer.edit(item);
      else no();
    },
    react: () => (!there ? no() : value ? put(value) : sheet(true)),
    copy: async () => {
      try {
        await navigator.clipboard.writeText(item.text);
        pane.shell.toast(_("Copied."));
      } catch {
        pane.shell.toast(_("This browser does not allow copying."), { error: true });
      }
    },
    retract: async () => {
      if (item.state === "failed") return chat.discard(item);
      if (!there || !pane.mayTakeBack(item)) return no();
      const ok = await pane.shell.confirm({
        title: _("Take this message back?"), text: _("Its text is erased for everybody."), ok: _("Take back"), danger: true,
      });
      if (ok) attempt(() => chat.retract(item));
    },
    person: () => pane.shell.person(item.sender),
    retry: () => chat.retry(item),
    more: () => sheet(false),
  };

  function sheet(onlyEmoji) {
    const close = () => dialog.close();
    const button = (label, act, danger) =>
      h("button", { type: "button", class: danger ? "danger" : "", onclick: () => { close(); act(); } }, label);
    const other = h("input", { class: "emoji", maxLength: 62, "aria-label": _("Another emoji"), placeholder: _("Another emoji"), autocomplete: "off" });
    const emoji = h("form", { class: "quick", onsubmit: (event) => {
      event.preventDefault();
      const sign = other.value.trim();
      if (!sign) return;
      close();
      load().then(() => put(signOf(sign)));
    } }, QUICK.map((sign) => h("button", {
      type: "button", "aria-label": _("React with {emoji}", { emoji: sign }), "aria-pressed": item.reactions.some((each) => each.emoji === sign && each.mine),
      onclick: () => { close(); put(sign); },
    }, sign)), other);
    const dialog = h("dialog", { class: "acts", "aria-label": _("Actions"), onclick: (event) => event.target === dialog && close(),
      onclose: () => { dialog.remove(); if (document.activeElement === document.body) anchor?.focus?.({ preventScroll: true }); } },
    there && emoji,
    !onlyEmoji && [
      there && button(_("Reply"), does.reply),
      (there || item.state === "failed") && item.mine && button(_("Edit"), does.edit),
      item.state === "failed" && button(_("Try again"), does.retry),
      !item.retracted && button(_("Copy text"), does.copy),
      !item.mine && button(_("Who is {login}?", { login: line(item.sender) }), does.person),
      item.state === "failed" ? button(_("Discard"), does.retract, true) : there && pane.mayTakeBack(item) && button(_("Take back"), does.retract, true),
    ],
    h("p", { class: "when" }, moment(item.time), item.edited ? [" · ", _("edited {when}", { when: moment(item.edited) })] : "", item.seq ? ` · ^${item.seq}` : ""));
    // The finger of a long press is still down: what it does when it goes up is not meant for the sheet.
    let ready = false;
    dialog.addEventListener("pointerdown", () => { ready = true; }, true);
    dialog.addEventListener("click", (event) => {
      if (ready || !event.detail) return;
      event.preventDefault();
      event.stopPropagation();
    }, true);
    document.body.append(dialog);
    dialog.showModal();
    if (onlyEmoji) other.focus();
  }

  does[what]?.();
}
