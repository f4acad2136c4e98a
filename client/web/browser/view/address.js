/**
 * Where one is, in the address after `#`: `#/` the conversations, `#/talk/KEY[/SEQ]`, `#/rooms`, `#/people`,
 * `#/settings[/PART]`. Must not know what is drawn there.
 */
import { blank } from "../core/entries.js";

export const addressOf = (key, seq) => `#/talk/${encodeURIComponent(key)}${seq ? `/${seq}` : ""}`;

/** Whether nobody and nothing is named: no conversation has such a key. */
const nameless = (key) => blank(key.replace(/^@/, ""));

/** @returns {{view: string, key?: string, seq?: number, part?: string}} */
export function routeOf(hash) {
  const [view = "", part = "", seq = ""] = hash.replace(/^#\/?/, "").split("/");
  let name = part;
  try {
    name = decodeURIComponent(part);
  } catch { /* Somebody's own text: there is no such conversation. */ }
  if (view === "talk" && !nameless(name)) return { view, key: name, seq: Number(seq) || 0 };
  return { view: ["rooms", "people", "settings"].includes(view) ? view : "", part: name };
}
