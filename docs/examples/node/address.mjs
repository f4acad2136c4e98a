// Addresses, keys and fingerprints, and the greeting for whoever knows only the host. PROTOCOL.md, sections 2 and 11.1.

import { createHash } from "node:crypto";
import { decode, encode } from "@msgpack/msgpack";
import { Dealer } from "zeromq";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Reads tertulia://HOST:PORT/KEY, HOST:PORT/KEY, HOST:PORT or HOST. */
export function parseAddress(text) {
  const form = /^(?:tertulia:\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?(?:\/([a-z2-7]{51}[aq]))?\/?$/;
  const found = form.exec(text.trim());
  if (!found) throw new Error(`${text} is no address`);
  const [, name, digits, key] = found;
  const host = name.toLowerCase();
  const port = Number(digits ?? 5570);
  if (port < 1 || port > 65533) throw new Error(`${text}: a port lies between 1 and 65533`);
  return { host, port, key: key && fromBase32(key), endpoint: (above) => `tcp://${host}:${port + above}` };
}

function fromBase32(text) {
  const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.slice(0, 256).match(/.{8}/g).map((octet) => parseInt(octet, 2)));
}

/** ZeroMQ's text form of a key, which is what the socket options take. */
export function toZ85(key) {
  let text = "";
  for (let at = 0; at < key.length; at += 4) {
    const number = key.readUInt32BE(at);
    for (const place of [85 ** 4, 85 ** 3, 85 ** 2, 85, 1]) text += Z85[Math.floor(number / place) % 85];
  }
  return text;
}

export function fingerprint(key) {
  const digits = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return digits.match(/.{4}/g).join(" ");
}

/** Asks the broker for its key. The answer proves nothing: show its fingerprint to a person. */
export async function greet(address) {
  const socket = new Dealer({ linger: 0, receiveTimeout: 1000, sendTimeout: 1000, maxMessageSize: 1048576 });
  try {
    socket.connect(address.endpoint(2));
    for (let tries = 1; ; tries++) {
      try {
        await socket.send(encode({ op: "greet", id: tries, versions: [1] }));
        const [frame] = await socket.receive();
        return Buffer.from(decode(frame).key);
      } catch (error) {
        if (tries === 3) throw new Error(`no broker answers at ${address.host}: ${error.message}`);
      }
    }
  } finally {
    socket.close();
  }
}
