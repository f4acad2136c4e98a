/**
 * One thing in a conversation, drawn: a message, an invitation, a notice. Only ever text, in elements of our own.
 * What can be pressed carries `data-act`; who handles it is talk/actions.js' and the pane's matter. Must not know where
 * it stands, nor the connection.
 */
import { h } from "../view/dom.js";
import { _, clock, day, ngettext } from "../view/language.js";
import { load, table, wanted } from "./emoji.js";
import { clean, folded, line, lines, onlyEmoji } from "./text.js";

/** @typedef {{me: string, now: () => number, unfolded: WeakSet<object>, emoji: Map<string, string>, again: () => void}} Look */
/** @typedef {{day: boolean, unread: number, grouped: boolean}} Above */

/** Everything that the look of an item hangs on, to see whether it must be drawn again. */
export function signature(item, above, look) {
  if (item.note) return `${above.day}${item.lines}`;
  const { text, edited, retracted, state, changing, reactions } = item;
  const quoted = item.replyTo && item.quoted;
  return [above.day, above.unread, above.grouped, look.unfolded.has(item), !text.includes(":") || table.size, text, edited, retracted, state, changing, item.safe,
    quoted && [quoted.text, quoted.retracted], reactions.map((each) => [each.emoji, each.count, each.mine])].join("\u0001");
}

/** A login in its colour. */
export const name = (login, props = {}) => h("bdi", { ...props, class: `hued nick ${props.class ?? ""}`, hue: login }, line(login));

const act = (what, label, props = {}, ...children) =>
  h("button", { type: "button", ...props, data: { act: what, ...props.data } }, ...(children.length ? children : [label]));

/** The row of an item. */
export function draw(item, above, look) {
  const row = h("div", { class: "row", tabIndex: -1 });
  if (above.day) row.append(h("div", { class: "dayline", role: "separator" }, h("span", null, day(item.time, look.now()))));
  if (above.unread) {
    row.append(h("div", { class: "unreadline", role: "separator" }, h("span", null, ngettext("{n} unread", "{n} unread", above.unread))));
  }
  const spoken = !item.note && item.kind !== "invited";
  if (spoken) {
    // The row is what the arrows go to: by its name one hears who said what, and when.
    row.role = "article";
    row.ariaLabel = `${line(item.sender)}, ${clock(item.time)}: ${item.retracted ? _("message deleted") : line(item.text.slice(0, 500))}`;
  }
  row.append(item.note ? note(item) : spoken ? message(item, above, look) : invitation(item));
  return row;
}

function note(item) {
  const part = (each) => typeof each === "string" ? each : act(each.room ? "room" : "person", "", { class: "link", data: { value: each.room ?? each.user } },
    each.room ? h("bdi", null, `#${line(each.room)}`) : name(each.user));
  return h("div", { class: `note ${item.kind}` }, item.lines.map((said) => h("div", { dir: item.kind === "notice" ? null : "auto" }, [said].flat().map(part))),
    item.kind !== "notice" && act("dismiss", "✕", { class: "dismiss", "aria-label": _("Put away") }));
}

function invitation(entry) {
  const said = _("{login} invites you to {room}").split(/(\{login\}|\{room\})/);
  const room = h("bdi", null, `#${line(entry.room)}`);
  return h("div", { class: "note answer" },
    said.map((part) => (part === "{login}" ? name(entry.sender) : part === "{room}" ? room : part)), " ",
    act("join", _("Join"), { class: "chip", data: { value: entry.room } }));
}

function message(entry, above, look) {
  const when = h("time", { dateTime: new Date(entry.time).toISOString() }, clock(entry.time));
  const said = h("div", { class: `msg ${entry.state}` });
  said.classList.toggle("grouped", above.grouped);
  said.classList.toggle("mention", !!entry.mention && !entry.mine);
  if (entry.replyTo) said.append(quote(entry));
  said.append(h("div", { class: "head" }, !above.grouped && act("person", "", { class: entry.mine ? "who mine" : "who", tabIndex: -1, data: { value: entry.sender } }, name(entry.sender)), when));
  said.append(entry.retracted ? h("div", { class: "body gone" }, _("message deleted")) : body(entry, look));
  const marks = [entry.edited && !entry.retracted && _("edited"), entry.state === "pending" && (entry.safe === false ? _("sending…") : "🕓"),
    entry.changing?.length && "…"].filter(Boolean);
  const aside = above.grouped ? said : said.querySelector(".head");
  if (marks.length) aside.append(h("span", { class: "marks", "aria-label": entry.state === "pending" ? _("on its way") : null, role: entry.state === "pending" ? "img" : null }, marks.join(" · ")));
  if (entry.state === "failed") {
    said.append(h("div", { class: "failure" }, _("Not sent: {reason}", { reason: line(entry.error?.message ?? entry.error?.code ?? "?") }), " ",
      act("retry", _("Try again"), { class: "chip" }), act("discard", _("Discard"), { class: "chip" })));
  }
  if (entry.reactions.length && !entry.retracted) said.append(reactions(entry));
  said.append(act("more", "⋯", { class: "more", tabIndex: -1, "aria-label": _("Actions"), "aria-haspopup": "dialog" }));
  return said;
}

function body(entry, look) {
  const text = clean(entry.text);
  if (wanted(text)) load().then(look.again);
  const short = look.unfolded.has(entry) ? null : folded(text);
  const large = text.length < 50 && onlyEmoji(text);
  const element = h("div", { class: large ? "body large" : "body" }, written(short ?? text, look));
  if (short !== null) element.append(act("unfold", _("Show all"), { class: "chip" }));
  return element;
}

/** The lines of a harmless text as elements; each finds its own direction. */
export function written(text, look) {
  return lines(text, look).map(({ kind, depth, pieces }) => {
    const element = h("div", { class: kind, dir: kind === "code" ? "ltr" : "auto" }, pieces.length ? pieces.map(piece) : h("br"));
    if (depth > 1) element.style.setProperty("--depth", depth);
    return element;
  });
}

const TAGS = { code: "code", bold: "strong", italic: "em", me: "mark" };

function piece({ kind, text, of }) {
  if (kind === "text") return text;
  if (kind === "link") return h("a", { href: text, target: "_blank", rel: "noopener noreferrer", dir: "ltr" }, text);
  if (kind === "at") return h("span", { class: "at" }, "@", name(text.slice(1)));
  return h(TAGS[kind] ?? "span", { class: kind }, of ? of.map(piece) : text);
}

function quote(entry) {
  const { quoted } = entry;
  const words = !quoted ? "" : quoted.retracted ? _("message deleted") : line(quoted.text.slice(0, 200));
  return act("quoted", "", { class: "quoted", "aria-label": quoted ? _("In answer to {login}: {text}", { login: line(quoted.sender), text: words }) : null },
    "↪ ", quoted ? [name(quoted.sender), " ", h("bdi", null, words)] : _("an earlier message"));
}

function reactions(entry) {
  const shown = entry.reactions.map(({ emoji, count, mine }) => act("react", "", {
    class: "chip", tabIndex: -1, data: { value: emoji }, "aria-pressed": mine,
    "aria-label": ngettext("{emoji}, {n} person", "{emoji}, {n} people", count, { emoji: line(emoji) }),
  }, h("span", { class: "sign" }, line(emoji)), ` ${count}`));
  return h("div", { class: "reactions" }, shown, act("react", "+", { class: "chip add", tabIndex: -1, "aria-label": _("React"), data: { value: "" } }));
}
