/**
 * What this device prefers, whoever is logged in: kept in localStorage, or only in memory where that is forbidden.
 * Must not know what a preference is for.
 */

const KEY = "tertulia";
/** @type {Record<string, any>} */
let kept = {};
try {
  kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
} catch { /* Private mode, or somebody else's text: the defaults serve. */ }

/** The preference `name`, or `otherwise` if it was never said. */
export const preferred = (name, otherwise = "") => kept[name] ?? otherwise;

/** Remember a preference, and tell those who listen to "tertulia-preference" on `window`. */
export function prefer(name, value) {
  kept = { ...kept, [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch { /* Then it holds for as long as this page is open. */ }
  dispatchEvent(new CustomEvent("tertulia-preference", { detail: { name, value } }));
}
