"""What the scenario `browsers` runs within the pages: it catches the client behind a page, and asks and drives it.

Must not know what fails, nor what is promised.
"""

from __future__ import annotations

from typing import Final

CATCH: Final = """
(() => {
  // The client tells of itself by events: so it is caught, for the page gives it no name.
  const tell = EventTarget.prototype.dispatchEvent;
  EventTarget.prototype.dispatchEvent = function (event) {
    if (this.talks && this.post) globalThis.caught = this;
    return tell.call(this, event);
  };
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...row) {
    if (globalThis.full) throw new DOMException("full", "QuotaExceededError");
    return put.apply(this, row);
  };
})();
"""
"""Before all scripts: `caught` is the client, and the disk is `full` on demand."""

DISK: Final = "(full) => { globalThis.full = full; }"

POST: Final = """
([key, texts]) => {
  if (key.startsWith("@")) caught.person(key.slice(1));
  if (!caught.talks.has(key)) return false;
  for (const text of texts) caught.post(key, text);
  return true;
}
"""
"""Say them there; false if one is not in that room."""

UNSAFE: Final = """
() => [...caught.talks.values()].flatMap((talk) => talk.entries)
  .filter((entry) => entry.state === "pending" && !entry.safe).map((entry) => entry.text)
"""
"""What is on no disk yet, and so may be lost with the page."""

CHANGE: Final = """
([key, what]) => {
  const own = (entry) => entry.mine && entry.state === "sent" && !entry.retracted && !entry.text.endsWith("!");
  const entry = caught.talks.get(key)?.entries.findLast(own);
  if (!entry) return null;
  if (what === "edit") caught.edit(entry, entry.text + "!");
  else if (what === "retract") caught.retract(entry);
  else caught.react(entry, "👍");
  return entry.text;
}
"""
"""Change one's newest message there; returns its text."""

_ROW: Final = "JSON.stringify((e.reactions ?? []).map((r) => [r.emoji, r.count]))"

STATE: Final = f"""
() => {{
  const talks = [...caught.talks];
  return {{
    link: caught.link, waiting: caught.waiting, shown: document.querySelector(".link-bar")?.dataset.state,
    failed: talks.flatMap(([, t]) => t.entries).filter((e) => e.state === "failed" && e.key !== "shifting")
      .map((e) => [e.text, e.error.code]),
    talks: Object.fromEntries(talks.map(([key, t]) => [key, {{
      unread: t.unread, more: t.unreadMore, read: t.read,
      entries: t.entries.map((e) => [e.seq, e.text, e.retracted, {_ROW}]),
    }}])),
  }};
}}
"""
"""What the page shows: of each talk its entries as [seq, text, retracted, reactions]."""

HISTORY: Final = f"""
async (log) => {{
  const found = [];
  for (let more = true, after = 0; more; after = found.at(-1)?.seq) {{
    const page = await caught.request("history", {{ log, after, limit: 200 }});
    found.push(...page.entries);
    more = page.more && page.entries.length;
  }}
  return found.filter((e) => ["message", "direct"].includes(e.kind))
    .map((e) => [e.seq, e.text ?? "", Boolean(e.retracted), {_ROW}]);
}}
"""
"""What the broker has of a log, as rows of the same form."""
