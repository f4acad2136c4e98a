/**
 * What this device prefers, whoever is logged in: kept in localStorage, or only in memory where that is forbidden.
 * Must not know what a preference is for.
 */

const KEY = "tertulia";

/** @returns {Record<string, any> | null} */
function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return null; // Private mode, or somebody else's text: what is known in this page serves.
  }
}

let kept = read() ?? {};

const tell = (name, value) => dispatchEvent(new CustomEvent("tertulia-preference", { detail: { name, value } }));

// Another tab of this device has other preferences now.
globalThis.addEventListener?.("storage", ({ key }) => {
  if (key !== KEY) return;
  const before = kept;
  kept = read() ?? kept;
  for (const name of new Set([...Object.keys(before), ...Object.keys(kept)])) if (before[name] !== kept[name]) tell(name, kept[name]);
});

/** The preference `name`, or `otherwise` if it was never said. */
export const preferred = (name, otherwise = "") => kept[name] ?? otherwise;

/** Remember a preference, and tell those who listen to "tertulia-preference" on `window`. */
export function prefer(name, value) {
  // Another tab may have written since, and what it wrote stays.
  kept = { ...kept, ...read(), [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch { /* Then it holds for as long as this page is open. */ }
  tell(name, value);
}
