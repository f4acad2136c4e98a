// A terminal client in a page: what is typed is said in the room, what is said is printed. See README.md.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { fingerprint, parseAddress } from "./address.mjs";
import { Client } from "./client.mjs";
import { visible } from "./visible.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { register: { type: "boolean" }, drop: { type: "string", default: "0" } },
});
const [where, login, room] = positionals;
const password = process.env.TERTULIA_PASSWORD;
if (!room || !password) {
  console.error("usage: TERTULIA_PASSWORD=… node chat.mjs ADDRESS LOGIN ROOM [--register] [--drop N]");
  process.exit(2);
}

const address = parseAddress(where);
const chat = new Client(address, { drop: Number(options.drop) });

const told = {
  message: (entry) => (entry.retracted ? "(taken back)" : entry.text),
  direct: (entry) => (entry.retracted ? "(taken back)" : entry.text),
  edit: (entry) => `says at ${entry.target} now: ${entry.text}`,
  retract: (entry) => `takes ${entry.target} back`,
  reaction: (entry) => `${entry.on ? "puts" : "takes away"} ${entry.emoji} at ${entry.target}`,
  invited: (entry) => `asks you into ${entry.room}`,
};
chat.on("entry", (log, entry) => {
  console.log(visible(`[${log} ${entry.seq}] ${entry.sender}: ${told[entry.kind](entry)}`));
});
chat.on("live", (log) => log.startsWith("~") || console.log(visible(`* you hear ${log}`)));
chat.on("event", (log, event) => {
  for (const { login, change } of event.changes ?? []) console.log(visible(`* ${log}: ${login} ${change}`));
});
chat.on("ended", (reason) => {
  console.error(`The session ended: ${visible(reason)}`);
  process.exit(1);
});

const key = await chat.connect();
if (!address.key) console.error(`The broker's fingerprint is ${fingerprint(key)}; compare it.`);
try {
  if (options.register) {
    await chat.register({ login, password, first_names: login, surnames: "Example", age: 0, gender: "undisclosed" });
  } else {
    await chat.login(login, password);
  }
  await chat.join(room);
  for await (const line of createInterface({ input: process.stdin })) {
    const [, to, text] = /^@(\S+) (.*)$/.exec(line) ?? [];
    try {
      await (to ? chat.direct(to, text) : chat.send(room, line));
    } catch (error) {
      console.error(visible(error.message));
    }
  }
} catch (error) {
  console.error(visible(error.message));
  process.exitCode = 1;
}
await chat.close();
process.exit();
