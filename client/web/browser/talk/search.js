/**
 * Words looked for in all that one may read, or in one conversation. Must not know where it is shown.
 */
import { h } from "../view/dom.js";
import { _, moment } from "../view/language.js";
import { name } from "./message.js";
import { line } from "./text.js";

/** @param {import("./pane.js").Pane} pane @returns {{title: string, content: HTMLElement}} */
export function search(pane, words, here) {
  const { chat, talk, shell } = pane;
  const field = h("input", { type: "search", enterKeyHint: "search", maxLength: 200, value: words, "aria-label": _("Words"), placeholder: _("Words; from:ana for one person's") });
  const where = h("select", { "aria-label": _("Where") }, h("option", { value: "" }, _("Everywhere")), h("option", { value: talk.key }, _("Here only")));
  where.value = here ? talk.key : "";
  const said = h("p", { class: "count", role: "status" });
  const list = h("ul", { class: "hits" });
  const more = h("button", { type: "button", hidden: true, onclick: () => find(true) }, _("Older ones"));
  let last = null;
  let turn = 0;

  async function find(further = false) {
    const typed = field.value.trim();
    const from = /(?:^|\s)from:@?(\S+)/.exec(typed);
    const query = typed.replace(/(?:^|\s)from:@?\S+/g, " ").trim();
    const mine = ++turn;
    if (!further) {
      last = null;
      list.replaceChildren();
      more.hidden = true;
    }
    if (!query) return;
    said.textContent = _("Looking…");
    try {
      const found = await chat.search(query, { key: where.value || undefined, sender: from?.[1], before: last?.seq });
      if (mine !== turn) return;
      last = found.hits.at(-1) ?? last;
      list.append(...found.hits.map(row));
      more.hidden = !found.more;
      said.textContent = list.children.length ? "" : _("Nothing was found for: {words}", { words: line(typed) });
    } catch (error) {
      const { sentence } = await import("../view/language.js");
      if (mine === turn) said.textContent = error.code ? sentence(error) : String(error);
    }
  }

  const row = (hit) => h("li", null, h("button", { type: "button", onclick: () => shell.show(hit.key, { seq: hit.seq }) },
    h("span", { class: "head" }, name(hit.sender), " ", h("span", { class: "sub" }, h("bdi", null, line(hit.key.startsWith("@") ? hit.key : `#${hit.key}`)), ` · ${moment(hit.time)}`)),
    h("span", { class: "body", dir: "auto" }, line(hit.text).slice(0, 300))));

  const content = h("div", { class: "search" },
    h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); find(); } }, field, where), said, list, more);
  where.addEventListener("change", () => find());
  if (words) find();
  return { title: _("Search"), content };
}
