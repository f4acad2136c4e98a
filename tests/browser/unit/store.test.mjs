import assert from "node:assert/strict";
import { test } from "node:test";

import { changed } from "../../../client/web/browser/core/entries.js";
import { Memory, Store } from "../../../client/web/browser/core/store.js";

const wire = (seq, text = `m${seq}`) => ({ kind: "message", seq, text, sender: "bob", time: seq });
const apply = (message, change) => changed(message, change, false);

function stores(many) {
  const tables = new Memory();
  const problems = [];
  const open = () => new Store("ana", { tables: () => tables, set: () => {} }, (problem) => problems.push(problem));
  return [...Array.from({ length: many }, open), problems, tables];
}

test("parts that touch become one, whichever tab wrote them", async () => {
  const [one, two] = stores(2);
  one.follow("lobby", 1, 10, 30, [wire(20), wire(30)], apply);
  await one.flush();
  two.follow("lobby", 1, 20, 40, [wire(30), wire(40)], apply);
  two.follow("lobby", 1, 0, 10, [wire(5)], apply);
  await two.flush();
  const { wires, low } = await one.older("lobby", 1, 10, 40);
  assert.deepEqual([wires.map(({ seq }) => seq), low], [[5, 20, 30, 40], 0]);
});

test("of parts with a hole between them only the newer one is kept", async () => {
  const [one, two] = stores(2);
  one.follow("lobby", 1, 0, 30, [wire(20), wire(30)], apply);
  await one.flush();
  two.follow("lobby", 1, 80, 90, [wire(90)], apply);
  await two.flush();
  one.follow("lobby", 1, 30, 40, [wire(40)], apply);
  await one.flush();
  assert.equal(await one.older("lobby", 1, 10, 40).then((page) => page?.wires.length ?? 0), 0);
  const { wires, low } = await two.older("lobby", 1, 10, 90);
  assert.deepEqual([wires.map(({ seq }) => seq), low], [[90], 80]);
});

test("a log of the same name and another room replaces it", async () => {
  const [one] = stores(1);
  one.follow("lobby", 1, 0, 30, [wire(30)], apply);
  one.follow("lobby", 2, 0, 7, [wire(7)], apply);
  await one.flush();
  assert.equal(await one.older("lobby", 1, 10, 30), null);
  assert.deepEqual((await one.older("lobby", 2, 10, 7)).wires.map(({ seq }) => seq), [7]);
});

test("a change is in what is kept, whatever comes first", async () => {
  const [one, two] = stores(2);
  const edit = { kind: "edit", seq: 40, target: 30, text: "new", time: 40, sender: "bob" };
  one.follow("lobby", 1, 0, 40, [wire(30), edit], apply);
  await one.flush();
  two.follow("lobby", 1, 0, 30, [wire(30)], apply);
  await two.flush();
  assert.deepEqual((await one.older("lobby", 1, 10, 40)).wires.map(({ text }) => text), ["new"]);
});

test("what cannot be written is told, and what others said gives way first", async () => {
  const [one, problems, tables] = stores(1);
  one.follow("lobby", 1, 0, 30, [wire(30)], apply);
  await one.flush();
  const run = tables.run.bind(tables);
  let room = 1;
  tables.run = (work) => run((t) => work({ ...t, put: async (name, row) => (name === "outbox" && room-- > 0 ? Promise.reject(new Error("full")) : t.put(name, row)) }));
  assert.equal(await one.post({ nonce: "n" }), true);
  assert.equal(await one.older("lobby", 1, 10, 30), null);
  room = 5;
  assert.equal(await one.post({ nonce: "o" }), false);
  assert.deepEqual(problems, ["full"]);
});
