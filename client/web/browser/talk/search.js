/**
 * Words looked for in all that one may read, or in one conversation. What was found last is found again when one comes
 * back from a message that was looked at. Must not know where it is shown.
 */
import { h } from "../view/dom.js";
import { _, moment } from "../view/language.js";
import { name } from "./message.js";
import { line } from "./text.js";

/** What was looked for last, for as long as somebody is logged in: a shell is theirs alone. @type {WeakMap<object, object>} */
const lately = new WeakMap();

/**
 * @param {{chat: import("../core/chat.js").Chat, shell: import("../view/shell.js").Shell, talk?: import("../core/chat.js").Talk}} place
 *   `talk`: the conversation one is in
 * @param {string} words looked for at once
 * @param {boolean} here in that conversation only
 * @returns {{title: string, content: HTMLElement}}
 */
export function search({ chat, shell, talk }, words, here) {
  const key = talk?.key ?? "";
  const before = lately.get(shell);
  const again = !words && before && (!before.where || before.where === key) ? before : null;
  const field = h("input", { type: "search", enterKeyHint: "search", maxLength: 200, value: again?.typed ?? words, "aria-label": _("Words"), placeholder: _("Words; from:ana for one person's") });
  const where = h("select", { "aria-label": _("Where"), hidden: !key }, h("option", { value: "" }, _("Everywhere")), Boolean(key) && h("option", { value: key }, _("Here only")));
  where.value = again?.where ?? (here ? key : "");
  const said = h("p", { class: "count", role: "status" });
  const list = h("ul", { class: "hits" });
  const more = h("button", { type: "button", hidden: true, onclick: () => find(true) }, _("Older ones"));
  /** @type {{typed: string, where: string, hits: import("../core/chat.js").Entry[], more: boolean, looked: number}} */
  let found = { typed: "", where: "", hits: [], more: false, looked: 0 };
  let turn = 0;

  async function find(further = false) {
    const typed = field.value.trim();
    const from = /(?:^|\s)from:@?(\S+)/.exec(typed);
    const query = typed.replace(/(?:^|\s)from:@?\S+/g, " ").trim();
    const mine = ++turn;
    if (!further) draw({ typed, where: where.value, hits: [], more: false, looked: 0 });
    if (!query) return;
    said.textContent = _("Looking…");
    try {
      const { hits, more: longer } = await chat.search(query, { key: found.where || undefined, sender: from?.[1], before: found.hits.at(-1)?.seq });
      if (mine !== turn) return;
      draw({ ...found, hits: [...found.hits, ...hits], more: longer });
      said.textContent = found.hits.length ? "" : _("Nothing was found for: {words}", { words: line(typed) });
    } catch (error) {
      const { sentence } = await import("../view/language.js");
      if (mine === turn) said.textContent = error.code ? sentence(error) : String(error);
    }
  }

  function draw(now) {
    lately.set(shell, (found = now));
    list.replaceChildren(...now.hits.map(row));
    more.hidden = !now.more;
  }

  function show(hit) {
    draw({ ...found, looked: hit.seq });
    shell.show(hit.key, { seq: hit.seq });
  }

  const row = (hit) => h("li", null, h("button", { type: "button", "aria-current": hit.seq === found.looked ? "true" : null, onclick: () => show(hit) },
    h("span", { class: "head" }, name(hit.sender), " ", h("span", { class: "sub" }, h("bdi", null, line(hit.key.startsWith("@") ? hit.key : `#${hit.key}`)), ` · ${moment(hit.time)}`)),
    h("span", { class: "body", dir: "auto" }, line(hit.text).slice(0, 300))));

  const content = h("div", { class: "search" },
    h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); find(); } }, field, where), said, list, more);
  where.addEventListener("change", () => find());
  if (words) find();
  else if (again) {
    draw(again);
    field.addEventListener("focus", () => field.select(), { once: true });
  }
  return { title: _("Search"), content };
}
