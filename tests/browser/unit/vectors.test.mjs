import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Clock } from "../../../client/web/browser/core/clock.js";
import { Commands } from "../../../client/web/browser/core/commands.js";
import { fold } from "../../../client/web/browser/core/entries.js";
import { Log } from "../../../client/web/browser/core/log.js";
import { badText } from "../../../client/web/browser/core/posts.js";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url)));
const text = ({ text: said }) => (typeof said === "string" ? said : said.repeat.repeat(said.times));

const gaps = vectors("gaps").scenarios;
for (const { name, seen, log: entries, steps } of gaps) {
  test(`gaps: ${name}`, () => {
    const log = new Log("room", 1, seen);
    let now = 0;
    let open = null;
    for (const [number, step] of steps.entries()) {
      now += 10;
      let out = [];
      if (step.entry) out = log.heard(step.entry);
      else if ("live" in step) log.endsAt(step.live);
      else if ("pong" in step) {
        log.rumoured(step.pong, now, 1000);
        log.hole(now);
        now += 1001;
      } else {
        const { limit, newest } = step.answer;
        const range = entries.filter(({ seq }) => seq > open.after && seq < open.before && seq <= newest);
        log.fetching = false;
        out = log.page(open, range.slice(0, limit), range.length > limit);
      }
      assert.deepEqual(out.map(({ seq }) => seq), step.delivers, `step ${number} delivers`);
      const hole = log.hole(now);
      if (hole) {
        log.fetching = true;
        open = hole;
      }
      if (!step.asks) assert.equal(hole, null, `step ${number} asks for nothing`);
      else {
        assert.equal(hole.after, step.asks.after, `step ${number} asks`);
        assert.ok(hole.before > step.asks.to, `step ${number} asks far enough`);
      }
    }
  });
}

test("names: spellings of one name are found as one", () => {
  const { valid, same } = vectors("names");
  for (const { name, key } of valid) assert.equal(fold(name), key, name);
  for (const { names = [] } of same ?? []) for (const name of names) assert.equal(fold(name), fold(names[0]));
});

test("texts: what the broker would refuse is refused before it waits", () => {
  const { messages, no_messages: refused } = vectors("texts");
  for (const each of messages) assert.equal(badText(text(each)), undefined, JSON.stringify(each).slice(0, 50));
  for (const each of refused) assert.equal(badText(text(each))?.code, "bad-text", each.why);
});

const table = JSON.parse(process.env.COMMANDS ?? "null");
const typed = vectors("typed");

test("typed: lines are read as the terminal reads them", { skip: !table && "no table: run by tests/browser/test_unit.py" }, () => {
  const commands = new Commands(table);
  for (const { line, ...right } of typed.lines) {
    const read = commands.parse(line);
    if (right.nothing) assert.equal(read, null, JSON.stringify(line));
    else if ("say" in right) assert.deepEqual(read, { say: right.say }, line);
    else if (right.call) {
      assert.deepEqual([read.spec?.name, read.values, read.flags?.sort()], [right.call, right.values, right.flags.sort()], line + JSON.stringify(read.mistake));
    } else assert.deepEqual(read, { mistake: right.mistake }, line);
  }
});

test("typed: the same is proposed as in the terminal", { skip: !table && "no table: run by tests/browser/test_unit.py" }, () => {
  const commands = new Commands(table);
  const { rooms, people, speakers, talks, emoji } = typed.known;
  const known = {
    rooms: () => rooms,
    people: () => people,
    speakers: () => speakers,
    talks: (letters) => talks.filter((talk) => talk.startsWith(letters)).map((talk) => [talk, talk.startsWith("@") ? talk : `#${talk}`]),
    emoji: (letters) => emoji.filter(([code]) => code.startsWith(letters.slice(1))).map(([code, sign]) => [`:${code}:`, sign]),
  };
  for (const { before, requested, proposes } of typed.completion) {
    const found = commands.proposals(before, known, requested).map((each) => [each.text, each.replaces, each.shown]);
    assert.deepEqual(found, proposes, JSON.stringify(before));
  }
});

test("the clock takes the shortest round trip, and forgets when the broker's jumps", () => {
  let [now, wall] = [0, 1e12];
  const clock = new Clock(() => now, () => wall);
  assert.deepEqual([clock.offsetMs, clock.errorMs, clock.roundTripMs], [0, null, null]);
  clock.sample(0, 100, 2e12 + 50);
  clock.sample(1000, 1010, 2e12 + 1005);
  clock.sample(2000, 2400, 2e12 + 2390);
  now = 3000;
  wall += 3000;
  assert.ok(Math.abs(clock.now() - (2e12 + 3000)) <= 6);
  assert.deepEqual([clock.errorMs, clock.roundTripMs], [5, 400]);
  clock.sample(4000, 4010, 3e12);
  now = 4010;
  assert.ok(Math.abs(clock.now() - (3e12 + 5)) <= 6);
});
