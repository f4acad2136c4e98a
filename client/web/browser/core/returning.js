/**
 * Rooms that one was in when this browser was last there, and is in no more.
 *
 * Where a room is not kept, membership ends with one's presence, and nobody is there to be told (PROTOCOL.md §11.7): then one comes back. It may
 * also be that another device has left, or that one was removed meanwhile, or that the room is another one: then not. Until that is known the
 * talk stays, and what is written there waits. Must not know what is said in rooms, nor how one comes to miss them.
 */

import { Refusal } from "./link.js";

/** By then all devices of a person have noticed that their network is gone, milliseconds. */
const NOTICED = 90000;
/** Until it is asked again what was not answered. */
const AGAIN = 2000;

export class Returning {
  #chat;
  #port;
  #inside;
  /** @type {Map<string, import("./entries.js").Talk>} by room's name */ #talks = new Map();
  #since = 0;
  #busy = false;

  /**
   * @param {import("./chat.js").Chat} chat @param {object} port
   * @param {{drop: (key: string, reason: string) => void, decided: () => void}} inside what else is needed of the chat: `drop`, that one is not
   *   back in a room; `decided`, that what waited may go out
   */
  constructor(chat, port, inside) {
    this.#chat = chat;
    this.#port = port;
    this.#inside = inside;
  }

  get size() {
    return this.#talks.size;
  }

  has(key) {
    return this.#talks.has(key);
  }

  /**
   * One is not in that room.
   * @param {import("./entries.js").Talk} talk @param {number} since when this browser was last there, by the broker's clock
   */
  add(talk, since) {
    if (!this.size) this.#since = since;
    this.#talks.set(talk.key, talk);
  }

  /** It is known of that room, by whatever way. */
  delete(key) {
    if (this.#talks.delete(key)) queueMicrotask(() => this.#inside.decided());
  }

  clear() {
    this.#talks.clear();
  }

  /** Find out, for as long as there is a link to ask over. */
  async find() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.size && this.#chat.link === "live") {
        const pause = await this.#look().then(() => 0, (error) => this.#later(error));
        if (pause) await new Promise((resolve) => this.#port.set(resolve, pause));
      }
    } finally {
      this.#busy = false;
    }
  }

  #later(error) {
    if (!(error instanceof Refusal)) throw error;
    return error.waits ? error.pause(this.#port.random) : AGAIN;
  }

  async #look() {
    const [{ sessions }, rooms] = await Promise.all([this.#chat.request("sessions"), this.#chat.list("rooms", { hidden: true })]);
    const elsewhere = sessions.some((each) => !each.current && (each.online || each.seen > this.#since + NOTICED));
    for (const [key, talk] of [...this.#talks]) {
      if (this.#talks.get(key) !== talk) continue;
      const same = rooms.some(({ id }) => id === talk.view.id);
      if (!same || elsewhere) this.#inside.drop(key, same ? "gone" : "deleted");
      else await this.#join(key);
    }
  }

  async #join(key) {
    try {
      await this.#chat.join(key);
    } catch (refusal) {
      if (!refusal.heard || refusal.waits || refusal.code === "no-answer") throw refusal;
      this.#inside.drop(key, "gone");
    }
  }
}
