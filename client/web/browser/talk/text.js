/**
 * What others wrote, made harmless and divided into pieces to draw: pure, without DOM, as
 * client/tui/text/{clean,links,markup}.py do it for the terminal. The signs of the markup stay, faintly, so that
 * nobody's text reads otherwise than it was meant. A browser draws whole emoji, so those stay whole here.
 * Must not know who wrote a text, nor how a piece looks.
 */
import { fold } from "../core/entries.js";

const CONTROL = /[\0-\x08\x0b-\x1f]/g;
const UNSEEN = /[\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}|\p{Co}/gu;
const FORMAT = /(\u{1f3f4}[\u{e0020}-\u{e007f}]+)|(?![\u200c\u200d])\p{Cf}|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]/gu;

/** A text with every control made visible; tabs are spaces, line ends line feeds, at most one blank line in a row. */
export function clean(raw) {
  if (/^[\n\x20-\x7e\xa1-\xac\xae-\u02ff]*$/.test(raw) && !raw.includes("\n\n\n")) return raw.trimEnd();
  return raw.replace(/\r\n|[\u2028\u2029]/g, "\n")
    .replace(CONTROL, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)))
    .replace(/\x7f/g, "\u2421").replace(/\t/g, "    ")
    .replace(UNSEEN, "\ufffd").replace(FORMAT, (_all, flag) => flag ?? "")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1").replace(/(^|[ \n])(?=\p{M})/gu, "$1\u25cc")
    .replace(/\n[ \t]*(?:\n[ \t]*){2,}/g, "\n\n").trimEnd();
}

/** As `clean`, in one line. */
export const line = (raw) => clean(raw ?? "").replace(/\n/g, " ⏎ ");

/** The same, set apart, so that its direction is not that of the sentence around it (UAX #9: FSI, PDI). */
export const apart = (raw) => `\u2068${line(raw)}\u2069`;

/** A link without what belongs to the sentence around it: a full stop, a bracket that it did not open. */
export function trimmed(link) {
  const count = (sign) => link.split(sign).length;
  for (;;) {
    const last = link.at(-1) ?? "";
    const opens = "([{"[")]}".indexOf(last)];
    if (!last || !(".,;:!?'*_~".includes(last) || (opens && count(last) > count(opens)))) break;
    link = link.slice(0, -1);
  }
  return /^https?:\/\/[^\p{L}\p{N}[]*$/iu.test(link) ? "" : link;
}

const W = "\\p{L}\\p{M}\\p{N}_";
const INLINE = new RegExp(
  "(?<!`)(?<tick>`{1,2})(?<code>[^`\\n]+)\\k<tick>(?!`)" +
  `|(?<link>(?<![${W}])https?://[^\\s<>"\`␀-␡\ufffd]+)` +
  `|(?<![${W}])(?<emoji>:[a-z0-9_+-]{1,60}:)(?![${W}])` +
  `|(?<![${W}*])(?<star>\\*{1,2})(?=[^\\s*])(?<bold>[^*\\n]+)(?<=[^\\s*])\\k<star>(?![${W}*])` +
  `|(?<![${W}])(?<low>_{1,2})(?=[^\\s_])(?<italic>[^_\\n]+)(?<=[^\\s_])\\k<low>(?![${W}])` +
  `|(?<![${W}.@/-])@(?<at>[${W}][${W}.-]{0,31})`, "giu");

/** What a text has in it if it has any of these; most have not, and are spared the search. */
const SOME = /[`*_:@]/;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Whether two logins are one, as far as a browser can tell. */
export const same = (one, other) => fold(one) === fold(other);

/** Whether a text names somebody, as the terminal counts it: the login as a word, with or without `@`. */
export function names(text, login) {
  if (!login || !fold(text).includes(fold(login))) return false;
  return new RegExp(`(?<![${W}])${escaped(fold(login))}(?![${W}])`, "u").test(fold(text));
}

/**
 * The pieces of one line.
 * @param {{me?: string, emoji?: Map<string,string>}} look
 * @returns {{kind: string, text: string, of?: object[]}[]} kind: text, sign, code, link, at, me, bold, italic
 */
export function inline(text, look = {}) {
  const pieces = [];
  const put = (kind, text, of) => text && pieces.push(of ? { kind, text, of } : { kind, text });
  const words = (said) => {
    if (!look.me || !names(said, look.me)) return put("text", said);
    for (const part of said.split(new RegExp(`(?<![${W}])(${escaped(look.me)})(?![${W}])`, "iu"))) {
      put(same(part, look.me) ? "me" : "text", part);
    }
  };
  let at = 0;
  for (const match of SOME.test(text) ? text.matchAll(INLINE) : []) {
    words(text.slice(at, match.index));
    at = match.index + match[0].length;
    const { tick, code, link, emoji, star, bold, low, italic, at: login } = match.groups;
    if (code) {
      put("sign", tick);
      put("code", code);
      put("sign", tick);
    } else if (link) {
      const target = trimmed(link);
      put("link", target);
      put("text", link.slice(target.length));
    } else if (emoji) {
      put("text", look.emoji?.get(emoji.slice(1, -1).toLowerCase()) ?? emoji);
    } else if (login) {
      const bare = login.replace(/[.-]+$/, "");
      put(look.me && same(bare, look.me) ? "me" : "at", `@${bare}`);
      put("text", login.slice(bare.length));
    } else {
      put("sign", star ?? low);
      put(bold ? "bold" : "italic", bold ?? italic, inline(bold ?? italic, look));
      put("sign", star ?? low);
    }
  }
  words(text.slice(at));
  return pieces;
}

/**
 * The lines of a text that was made harmless.
 * @returns {{kind: "text"|"code"|"fence"|"quote", depth?: number, pieces: object[]}[]}
 */
export function lines(text, look) {
  let within = false;
  return text.split("\n").map((said) => {
    const bare = said.trim();
    if (bare.startsWith("```") && (within || !bare.slice(3).includes("```"))) {
      within = !within;
      return { kind: "fence", pieces: [{ kind: "sign", text: said }] };
    }
    if (within) return { kind: "code", pieces: [{ kind: "text", text: said }] };
    const marks = /^(?:> ?)+/.exec(said)?.[0];
    if (!marks) return { kind: "text", pieces: inline(said, look) };
    const depth = Math.min(4, marks.split(">").length - 1);
    return { kind: "quote", depth, pieces: inline(said.slice(marks.length), look) };
  });
}

/** Whether a text is up to three emoji and nothing else: it is drawn large. */
export function onlyEmoji(text) {
  const sign = "(?:\\p{RI}{2}|[0-9#*]\\ufe0f?\\u20e3|\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{EMod}?[\\u{e0020}-\\u{e007f}]*(?:\\u200d\\p{Extended_Pictographic}\\ufe0f?\\p{EMod}?)*)";
  return new RegExp(`^(?:${sign}\\s?){1,3}$`, "u").test(text);
}

/** The beginning of a text that is too long to be shown whole at once; null if it is not. */
export function folded(text, most = 1200, mostLines = 18) {
  if (text.length <= most * 1.25 && text.split("\n", mostLines + 5).length <= mostLines + 3) return null;
  const cut = text.split("\n", mostLines).join("\n").slice(0, most);
  return cut.replace(/\p{Cs}$/u, "").trimEnd() + " …";
}

/** A hue for a login, the same always and everywhere: one of 24, in degrees. */
export function hue(login) {
  let hash = 2166136261;
  for (const sign of fold(login)) hash = Math.imul(hash ^ sign.codePointAt(0), 16777619);
  return ((hash >>> 8) % 24) * 15;
}

/** Milliseconds after which whoever goes on speaking is named again. */
const GROUP_MS = 300_000;

/** Whether two moments are on one day, where the reader is. */
export function sameDay(one, other) {
  if (Math.abs(one - other) >= 90_000_000) return false;
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** Whether a message is the continuation of the one before: its sender is not named again. */
export function grouped(entry, before) {
  const said = (each) => each.kind === "message" || each.kind === "direct";
  return !!before && said(entry) && said(before) && !entry.replyTo && entry.sender === before.sender
    && entry.time - before.time >= 0 && entry.time - before.time < GROUP_MS && sameDay(entry.time, before.time);
}

/** Why a text cannot be sent: "long" or "bytes", and by how much; null if it can be. */
export function tooLong(text, limits) {
  const characters = [...text].length - limits.TEXT_LENGTH;
  if (characters > 0) return { what: "long", over: characters };
  const bytes = new TextEncoder().encode(text).length - limits.TEXT_BYTES;
  return bytes > 0 ? { what: "bytes", over: bytes } : null;
}
