/**
 * The language people are spoken to: English as it stands in the code, others from /facts/<lang>.json.
 *
 *     _("Text with {name}", { name })                     a sentence, whole, with named fields
 *     ngettext("{n} message", "{n} messages", n)          the same for n things; {n} is filled in
 *
 * Must not know what is said, or where.
 */
import { preferred } from "./device.js";

/** The languages there are, in their own words; the first needs no strings. A test holds them and Python's equal. */
export const LANGUAGES = { en: "English", es: "Español" };

/** The language chosen, as in `LANGUAGES`. */
export let lang = "en";

let strings = {};
let plural = null;
/** @type {Promise<{strings: object, limits: Record<string, any>, commands: object[]}> | undefined} */
let loading;

/**
 * Speak `wanted`, or what the setting or the browser prefers. Resolves when the strings are there, or cannot be had:
 * then it is English.
 */
export async function speak(wanted = preferred("lang")) {
  const known = [wanted, ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
  lang = known.find((tag) => tag in LANGUAGES) ?? "en";
  strings = {};
  loading = undefined;
  if (lang !== "en") {
    try {
      strings = (await facts()).strings ?? {};
    } catch {
      lang = "en";
    }
  }
  plural = null;
  document.documentElement.lang = lang;
}

/** What the browser needs to know from the server: limits and the commands' table. Rejects if it cannot be had now. */
export function facts() {
  loading ??= fetch(`/facts/${lang}.json`).then((answer) => {
    if (!answer.ok) throw new Error(`facts: ${answer.status}`);
    return answer.json();
  });
  loading.catch(() => { loading = undefined; });
  return loading;
}

const filled = (text, fields) => text.replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);

/** The text in the language chosen, with its named fields filled in. */
export function _(text, fields) {
  const said = strings[text];
  const sentence = typeof said === "string" && said ? said : text;
  return fields ? filled(sentence, fields) : sentence;
}

/** The text for `n` things in the language chosen; `{n}` becomes the number as that language writes it. */
export function ngettext(one, many, n, fields) {
  plural ??= new Intl.PluralRules(lang);
  const form = plural.select(n) === "one" ? 0 : 1;
  const said = strings[one];
  const sentence = Array.isArray(said) ? said[form] || said.at(-1) : [one, many][form];
  return filled(sentence, { n: number(n), ...fields });
}

/** A number as the language writes it; the first with a separator loads what knows of them, and few are as great. */
export const number = (n) => (Number.isInteger(n) && n >= 0 && n < 1000 ? String(n) : n.toLocaleString(lang));

/** A formatter costs more than a row of messages, so each is made once, and when it is needed. */
const formats = new Map();

function shown(ms, options) {
  const key = lang + JSON.stringify(options);
  // As it is usual where one lives, if that is a kind of the language: 14:05 in Britain, 02:05 PM in America.
  const locale = navigator.languages.find((tag) => tag.startsWith(lang)) ?? lang;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key).format(ms);
}

/** The time of day: 14:05. */
export const clock = (ms) => shown(ms, { hour: "2-digit", minute: "2-digit" });

/** The day: Today, Yesterday, Tuesday 3 March, with the year if it is another. `now` is the broker's clock. */
export function day(ms, now = Date.now()) {
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0 || days === 1) return days ? _("Yesterday") : _("Today");
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return shown(ms, { weekday: "long", day: "numeric", month: "long", year });
}

/** Date and time, whole. */
export const moment = (ms) => shown(ms, { dateStyle: "medium", timeStyle: "short" });

/** What to tell people of a `Refusal`: the broker's own sentence, or what it means that there was none. */
export function sentence(error) {
  if (error.code === "offline") return _("You are offline. Try again when you are connected.");
  if (error.code === "no-answer") return _("There is no answer. Try again in a moment.");
  return error.code && error.message && error.message !== error.code ? error.message : _("That did not work. Try again.");
}
