/**
 * Emoji by their short-codes, `:smile:`; the table is asked for when the first is met. Must not know where texts come from.
 */

/** Every short-code without its colons, and its emoji; empty until `load`. @type {Map<string, string>} */
export const table = new Map();
let loading;

/** Whether a text may hold short-codes that are not known yet. */
export const wanted = (text) => !table.size && /:[a-z0-9_+-]+:/i.test(text);

/** Have the table. Resolves without it if it cannot be had now. */
export function load() {
  loading ??= fetch("/facts/emoji.json").then((answer) => answer.json()).then((told) => {
    for (const [code, sign] of Object.entries(told)) table.set(code, sign);
  }).catch(() => {
    setTimeout(() => { loading = undefined; }, 10_000);
  });
  return loading;
}

/** Codes with colons, and their emoji, for what was typed after a colon: those that begin so, then those within. */
export function beginning(letters, most = 20) {
  const part = letters.toLowerCase().replace(/^:/, "");
  const codes = [...table.keys()].filter((code) => code.includes(part));
  codes.sort((one, other) => other.startsWith(part) - one.startsWith(part) || one.length - other.length);
  return codes.slice(0, most).map((code) => [`:${code}:`, table.get(code)]);
}

/** The emoji of a short-code, with or without its colons; what is none, as it is. */
export const sign = (code) => table.get(code.replace(/^:|:$/g, "").toLowerCase()) ?? code;
