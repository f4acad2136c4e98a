// The test vectors of the protocol, for the parts of it that are in this folder.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { decode, encode } from "@msgpack/msgpack";
import { fingerprint, parseAddress } from "./address.mjs";
import { Log } from "./log.mjs";
import { visible } from "./visible.mjs";

const folder = process.env.TERTULIA_VECTORS ?? new URL("../../../tests/vectors", import.meta.url).pathname;
const vectors = (file) => JSON.parse(readFileSync(`${folder}/${file}.json`, "utf8"));

/** A map as the vectors write it, with binary as objects. */
function plain(value) {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

/** Whether all numbers in it are exact in JavaScript. */
function exact(value) {
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  return value === null || typeof value !== "object" || Object.values(value).every(exact);
}

for (const file of ["requests", "replies", "events"]) {
  test(`${file} are read, and written so that they are read alike`, () => {
    for (const { hex, map, written } of vectors(file).valid) {
      if (!written || !exact(map)) continue;
      const frame = Buffer.from(hex, "hex");
      const body = file === "events" ? frame.subarray(frame.indexOf(0) + 1) : frame;
      assert.deepEqual(plain(decode(body)), map);
      assert.deepEqual(plain(decode(encode(decode(body)))), map);
    }
  });
}

test("addresses", () => {
  const { valid, invalid, keys } = vectors("addresses");
  for (const { text, host, port, key, endpoints } of valid) {
    if (/[^\x20-\x7e]|%/.test(host)) continue; // beyond this example
    const address = parseAddress(text);
    assert.equal(address.port, port);
    assert.equal(address.key?.toString("hex") ?? null, key);
    assert.deepEqual([0, 1, 2].map(address.endpoint), endpoints);
  }
  for (const { text } of invalid) {
    if (text.length < 253) assert.throws(() => parseAddress(text), undefined, text);
  }
  for (const { hex, text, fingerprint: shown } of keys) {
    assert.equal(parseAddress(`h/${text}`).key.toString("hex"), hex);
    assert.equal(fingerprint(Buffer.from(hex, "hex")), shown);
  }
});

test("texts are shown without harm", () => {
  for (const { text, shown } of vectors("texts").shown) assert.equal(visible(text), shown);
});

for (const { name, seen, log: all, steps } of vectors("gaps").scenarios) {
  test(`gaps: ${name}`, async () => {
    const delivered = [];
    let asked, answer;
    const history = (after, before = Infinity) =>
      new Promise((resolve) => {
        asked = { after, before };
        answer = ({ limit, newest }) => {
          const found = all.filter(({ seq }) => after < seq && seq < before && seq <= newest);
          resolve({ entries: found.slice(0, limit), more: found.length > limit });
        };
      });
    const log = new Log(seen, history, ({ seq }) => delivered.push(seq));
    for (const step of steps) {
      asked = undefined;
      if (step.entry) log.entry(step.entry);
      else if (step.answer) answer(step.answer);
      else log.reaches(step.live ?? step.pong);
      await settled();
      assert.deepEqual(delivered.splice(0), step.delivers);
      assert.equal(asked?.after, step.asks?.after);
      if (asked) assert.ok(asked.before > step.asks.to);
    }
  });
}
