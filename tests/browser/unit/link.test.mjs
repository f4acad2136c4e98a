import assert from "node:assert/strict";
import { test } from "node:test";

import { Chat } from "../../../client/web/browser/core/chat.js";
import { World } from "./world.mjs";

async function one(setUp = () => {}) {
  const world = new World(1);
  world.account("ana");
  world.account("bob");
  setUp(world);
  const chat = new Chat({ port: world.port("ana") });
  chat.start({ login: "ana" });
  await world.time.pass(500);
  return { world, chat };
}

/** Milliseconds until it is live. */
async function until(world, chat) {
  const start = world.time.now;
  while (chat.link !== "live" && world.time.now < start + 60000) await world.time.pass(50);
  return world.time.now - start;
}

test("a socket that was opened before there was a chat is used, whether it is open yet or not", async () => {
  for (const before of [0, 100]) {
    const world = new World(1);
    world.account("ana");
    world.say("lobby", "ana", "hola");
    const port = world.port("ana");
    const early = new port.Socket();
    early.onopen = () => { early.readyState = 1; };
    await world.time.pass(before);
    port.connect = () => early;
    const chat = new Chat({ port });
    chat.start({ login: "ana" });
    await world.time.pass(500);
    assert.deepEqual([chat.link, world.sockets.size, chat.talks.get("lobby").entries.length], ["live", 1, 1]);
  }
});

test("a message that was under way when the gateway lost the broker waits, and is sent once", async () => {
  const { world, chat } = await one();
  world.brokerDown = true;
  const entry = chat.post("lobby", "hola");
  await world.time.pass(200);
  world.loseBroker();
  await world.time.pass(200);
  assert.deepEqual([chat.link, entry.state, chat.waiting], ["offline", "pending", 1]);
  world.findBroker();
  await world.time.pass(500);
  assert.deepEqual([chat.link, entry.state, chat.waiting, world.rooms.get("lobby").log.length], ["live", "sent", 0, 1]);
});

test("a broker that has forgotten what was read is told again", async () => {
  const { world, chat } = await one();
  const { seq } = world.say("lobby", "bob", "hola");
  await world.time.pass(100);
  chat.read("lobby", seq);
  await world.time.pass(3000);
  world.brokerDown = true;
  world.loseBroker();
  world.accounts.get("ana").marks.clear();
  await world.time.pass(1000);
  world.findBroker();
  await world.time.pass(3000);
  assert.equal(world.accounts.get("ana").marks.get("lobby"), seq);
});

test("a mark that was under way when the broker went is made later", async () => {
  const { world, chat } = await one();
  const { seq } = world.say("lobby", "bob", "hola");
  await world.time.pass(100);
  world.brokerDown = true;
  chat.read("lobby", seq);
  await world.time.pass(2000);
  world.loseBroker();
  await world.time.pass(1000);
  world.findBroker();
  await world.time.pass(3000);
  assert.equal(world.accounts.get("ana").marks.get("lobby"), seq);
});

test("a gateway without a broker is said to be offline, is not asked without end, and is live again at once", async () => {
  const { world, chat } = await one();
  world.loseBroker();
  chat.post("lobby", "hola");
  const before = world.asked.length;
  await world.time.pass(60000);
  assert.equal(chat.link, "offline");
  assert.equal(world.sockets.size, 1);
  assert.ok(world.asked.length - before < 100, `${world.asked.length - before} requests`);
  world.findBroker();
  assert.ok((await until(world, chat)) < 300);
  await world.time.pass(500);
  assert.equal(chat.waiting, 0);
});

test("who comes to a gateway without a broker hears soon that there is one", async () => {
  const { world, chat } = await one((world) => (world.away = true));
  await world.time.pass(60000);
  assert.equal(chat.link, "offline");
  world.findBroker();
  assert.ok((await until(world, chat)) <= 3100);
});

test("a gateway that is back is found within seconds while somebody looks, and at once when they do", async () => {
  const { world, chat } = await one();
  world.down = true;
  for (const socket of [...world.sockets]) world.cut(socket);
  await world.time.pass(120000);
  world.down = false;
  assert.ok((await until(world, chat)) < 5000);
  chat.visible(false);
  world.down = true;
  for (const socket of [...world.sockets]) world.cut(socket);
  await world.time.pass(300000);
  world.down = false;
  chat.visible(true);
  assert.ok((await until(world, chat)) < 600);
});

test("a network that is back just after an attempt does not wait for the next", async () => {
  const { world, chat } = await one();
  chat.visible(false);
  world.down = true;
  for (const socket of [...world.sockets]) world.cut(socket);
  await world.time.pass(120000);
  // Step by step to right behind an attempt: whenever it is, one is back soon.
  for (let at = 0; at < 400; at++) {
    await world.time.pass(50);
    chat.visible(true);
    chat.visible(false);
  }
  world.down = false;
  chat.visible(true);
  assert.ok((await until(world, chat)) < 600);
});

test("what is asked for offline is refused soon", async () => {
  const { world, chat } = await one();
  world.down = true;
  for (const socket of [...world.sockets]) world.cut(socket);
  await world.time.pass(1000);
  let code = null;
  chat.request("rooms").catch((refusal) => (code = refusal.code));
  await world.time.pass(3100);
  assert.equal(code, "no-answer");
});

test("after a long sleep the connection is not asked whether it lives", async () => {
  const { world, chat } = await one();
  for (const socket of world.sockets) socket.hears = socket.send = () => {};
  world.time.now += 600000;
  chat.visible(true);
  const took = world.time.now;
  await world.time.pass(1000);
  assert.equal(chat.link, "live");
  assert.ok(world.time.now - took <= 1000);
  assert.equal(world.sockets.size, 1);
});
