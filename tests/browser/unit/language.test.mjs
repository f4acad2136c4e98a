// What people are told, in their language: view/language.js with strings as /facts/<lang>.json has them.
import assert from "node:assert/strict";
import { test } from "node:test";

const asked = [];
const strings = { "Yesterday": "Ayer", "Hello {name}": "Hola {name}", "{n} message": ["{n} mensaje", "{n} mensajes"] };
Object.defineProperty(globalThis, "navigator", { value: { languages: ["pt-BR", "es-AR", "en"] }, configurable: true });
globalThis.document = { documentElement: {} };
globalThis.fetch = async (path) => {
  asked.push(path);
  return { ok: path !== "/facts/en.json", json: async () => ({ strings, limits: { NAME_LENGTH: 32 } }) };
};
const language = await import("../../../client/web/browser/view/language.js");

test("the first language of the browser that there is", async () => {
  await language.speak();
  assert.equal(language.lang, "es");
  assert.equal(document.documentElement.lang, "es");
  assert.deepEqual(asked, ["/facts/es.json"]);
  assert.equal((await language.facts()).limits.NAME_LENGTH, 32);
  assert.deepEqual(asked, ["/facts/es.json"], "asked once");
});

test("fields are filled in once: what somebody is called is no field", () => {
  assert.equal(language._("Hello {name}", { name: "{name} $& {n}" }), "Hola {name} $& {n}");
  assert.equal(language._("Hello {name}"), "Hola {name}");
});

test("numbers choose the form, and are written as the language does", () => {
  assert.equal(language.ngettext("{n} message", "{n} messages", 1), "1 mensaje");
  assert.equal(language.ngettext("{n} message", "{n} messages", 0), "0 mensajes");
  assert.equal(language.ngettext("{n} message", "{n} messages", 12345), "12.345 mensajes");
  assert.deepEqual([12, 12.5, -1234567.25].map(language.number), ["12", "12,5", "-1.234.567,25"]);
});

test("what is not translated stays English, and English needs no strings", async () => {
  assert.equal(language._("Nobody translated this"), "Nobody translated this");
  await language.speak("en");
  assert.equal(language.ngettext("{n} message", "{n} messages", 2), "2 messages");
  assert.deepEqual(asked, ["/facts/es.json"]);
});

test("facts that could not be had are asked for again", async () => {
  await assert.rejects(language.facts());
  await assert.rejects(language.facts());
  assert.deepEqual(asked.slice(1), ["/facts/en.json", "/facts/en.json"]);
});

test("days by the reader's calendar", async () => {
  await language.speak("es");
  const now = new Date(2026, 2, 3, 0, 10).getTime();
  assert.equal(language.day(now - 20 * 60_000, now), "Ayer");
  assert.equal(language.day(now - 1000, now), "Today");
  assert.match(language.day(new Date(2025, 11, 31).getTime(), now), /31.*diciembre.*2025/);
});

test("a refusal is told in the broker's words, a lost link in ours", () => {
  assert.equal(language.sentence({ code: "name-taken", message: "Ese nombre está ocupado." }), "Ese nombre está ocupado.");
  assert.match(language.sentence({ code: "offline", message: "offline" }), /offline/);
  assert.match(language.sentence(new TypeError("x is undefined")), /did not work/);
});
