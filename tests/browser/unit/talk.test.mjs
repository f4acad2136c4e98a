/** The pure parts of a conversation's view: texts made harmless and divided, grouping, which rows are drawn. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  clean, folded, grouped, hue, inline, line, lines, names, onlyEmoji, same, tooLong, trimmed,
} from "../../../client/web/browser/talk/text.js";
import { addressOf, routeOf } from "../../../client/web/browser/view/address.js";
import { Heights, MOST, STEP, around, atEnd, indexAt, moved } from "../../../client/web/browser/talk/window.js";

const said = (pieces) => pieces.map((piece) => (piece.of ? said(piece.of) : piece.text)).join("");
const kinds = (text, look) => inline(text, look).map(({ kind, text: words }) => [kind, words]);

test("an address leads to a conversation with somebody, or to the list", () => {
  for (const [key, seq] of [["plans", 0], ["@ana", 12], ["café/@", 3], ["%", 0]]) assert.deepEqual(routeOf(addressOf(key, seq)), { view: "talk", key, seq });
  for (const key of ["", "@", " ", "@ ", "@\u200b", "\u3000"]) assert.equal(routeOf(addressOf(key, 7)).view, "", JSON.stringify(key));
  assert.equal(routeOf("#/talk/%40").key, undefined);
});

test("controls are shown, and change no direction", () => {
  assert.equal(clean("a\x07b\x1b[31m\x7f"), "a\u2407b\u241b[31m\u2421");
  assert.equal(clean("\u202eolleh\u2066\u200e"), "\ufffdolleh\ufffd\ufffd");
  assert.equal(clean("\x85\ue000\ud800"), "\ufffd\ufffd\ufffd");
  assert.equal(clean("a\r\nb\u2028c\td"), "a\nb\nc    d");
  assert.equal(line("a\nb"), "a ⏎ b");
});

test("what shows nothing goes, what joins letters or emoji stays", () => {
  assert.equal(clean("a\u200bb\u2060c\ufeff\u3164\u{e0041}"), "abc");
  assert.equal(clean("می\u200cخواهم 👩\u200d🚀 ❤\ufe0f"), "می\u200cخواهم 👩\u200d🚀 ❤\ufe0f");
  assert.equal(clean("🏴\u{e0067}\u{e0062}\u{e007f}"), "🏴\u{e0067}\u{e0062}\u{e007f}");
});

test("towers of marks are low, and lean on nothing that is not their own", () => {
  assert.equal(clean(`o${"\u0301".repeat(500)}`), "o\u0301\u0301\u0301");
  assert.equal(clean("\u0301x"), "\u25cc\u0301x");
});

test("more than one blank line is one, and the end is trimmed", () => {
  assert.equal(clean("a\n\n\n \n\nb\n\n"), "a\n\nb");
});

test("a link ends before what belongs to the sentence", () => {
  assert.equal(trimmed("https://example.org/a_(b)."), "https://example.org/a_(b)");
  assert.equal(trimmed("https://example.org/)!?"), "https://example.org/");
  assert.equal(trimmed("https://..."), "");
  assert.deepEqual(kinds("(see http://x.org/a, or"), [["text", "(see "], ["link", "http://x.org/a"], ["text", ","], ["text", " or"]]);
});

test("only web addresses are links", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "xhttps://a.b", "file:///etc"]) {
    assert.ok(!inline(text).some((piece) => piece.kind === "link"), text);
  }
});

test("the signs of the markup stay", () => {
  for (const text of ["*bold* _it_ `code`", "**a *b* c**", "2*3*4 snake_case_name", "``a`b`` @ana: hi", "*a", "`", ""]) {
    assert.equal(said(inline(text)), text);
  }
  assert.deepEqual(kinds("*b*").map(([kind]) => kind), ["sign", "bold", "sign"]);
  assert.deepEqual(kinds("2*3*4"), [["text", "2*3*4"]]);
  assert.deepEqual(kinds("`*no*`")[1], ["code", "*no*"]);
});

test("names are marked, one's own more", () => {
  const look = { me: "Ana" };
  assert.deepEqual(kinds("@bob. hi ana, @ANA", look), [["at", "@bob"], ["text", "."], ["text", " hi "], ["me", "ana"], ["text", ", "], ["me", "@ANA"]]);
  assert.deepEqual(kinds("banana", look), [["text", "banana"]]);
  assert.ok(names("hola ana!", "Ana") && !names("banana", "ana") && !names("", "ana"));
  assert.ok(same("ＡＮＡ", "ana"));
  assert.equal(hue("Ana"), hue("ana"));
});

test("short-codes become emoji where there is one", () => {
  assert.equal(said(inline(":smile: :none: 10:30:20", { emoji: new Map([["smile", "😄"]]) })), "😄 :none: 10:30:20");
});

test("quotes and fences are lines of their own", () => {
  assert.deepEqual(lines("a\n> > b\n```\n*c*\n```").map(({ kind }) => kind), ["text", "quote", "fence", "code", "fence"]);
  assert.equal(lines("> > b")[0].depth, 2);
});

test("emoji alone are large", () => {
  for (const text of ["👍", "👩‍🚀❤️🇪🇸", "1️⃣"]) assert.ok(onlyEmoji(text), text);
  for (const text of ["👍 ok", "12", "", "🎉🎉🎉🎉"]) assert.ok(!onlyEmoji(text), text);
});

test("long texts fold, and never within a character", () => {
  assert.equal(folded("a".repeat(1300)), null);
  assert.ok(folded("a".repeat(8000)).length < 1300);
  assert.ok(folded("a\n".repeat(100)).split("\n").length <= 18);
  assert.ok(!/\p{Cs}/u.test(folded(`a${"😀".repeat(4000)}`)));
});

test("whoever goes on speaking is not named again", () => {
  const at = (time, sender = "ana", more = {}) => ({ kind: "message", time, sender, replyTo: 0, ...more });
  const noon = new Date(2026, 0, 5, 12).getTime();
  assert.ok(grouped(at(noon + 1000), at(noon)));
  assert.ok(!grouped(at(noon + 300_000), at(noon)));
  assert.ok(!grouped(at(noon, "bob"), at(noon)));
  assert.ok(!grouped(at(noon, "ana", { replyTo: 4 }), at(noon)));
  assert.ok(!grouped(at(noon), { note: true, kind: "notice", time: noon }));
  const midnight = new Date(2026, 0, 6).getTime();
  assert.ok(!grouped(at(midnight), at(midnight - 1000)));
});

test("texts that are too long are told by characters, then by bytes", () => {
  const limits = { TEXT_LENGTH: 10, TEXT_BYTES: 20 };
  assert.deepEqual(tooLong("a".repeat(12), limits), { what: "long", over: 2 });
  assert.deepEqual(tooLong("ñ".repeat(10) + "", limits), null);
  assert.deepEqual(tooLong("€".repeat(10), limits), { what: "bytes", over: 10 });
  assert.equal(tooLong("😀".repeat(5), limits), null);
});

test("the window follows the view, and holds no more rows than it may", () => {
  let now = atEnd(10_000);
  assert.equal(now.to, 10_000);
  for (let step = 0; step < 400; step++) {
    const next = moved(now, 10_000, 100, 4000, 600);
    assert.ok(next.to - next.from <= MOST && next.from <= now.from && next.to > next.from);
    now = next;
  }
  assert.ok(now.from < 10_000 - 399 * STEP);
  assert.equal(moved(now, 10_000, 2000, 2000, 600), now);
  const down = moved(now, 10_000, 4000, 100, 600);
  assert.equal(down.to, now.to + STEP);
  assert.ok(down.to - down.from <= MOST);
  assert.equal(moved(now, 10_000, -5000, 9000, 600), "jump");
});

test("a window around an item holds it, at either end too", () => {
  for (const index of [0, 5, 5000, 9999]) {
    const { from, to } = around(index, 10_000);
    assert.ok(from <= index && index < to && to <= 10_000 && from >= 0);
  }
  assert.deepEqual(around(2, 5), { from: 0, to: 5 });
});

test("heights never measured count as the mean", () => {
  const items = Array.from({ length: 100 }, () => ({}));
  const heights = new Heights();
  heights.set(items[99], 20);
  heights.set(items[98], 40);
  assert.equal(heights.mean, 30);
  assert.equal(heights.between(items, 0, 100), 100 * 30);
  assert.equal(indexAt(items, heights, 0), 99);
  assert.equal(indexAt(items, heights, 59), 98);
  assert.equal(indexAt(items, heights, 61), 97);
  assert.equal(indexAt(items, heights, 1e9), 0);
});
