/**
 * What this browser keeps of one account: entries, cursors, posts on their way, drafts; in IndexedDB, or else in memory.
 *
 * Tables: `entries` by [log, room id, seq]; `logs` by name: {log, id, low, seq}, all above `low` up to `seq` being here; `outbox` by
 * nonce; `kept` by any word. Two tabs write the same database, so what they write is merged. Must not know what entries mean.
 */

import { isChange } from "./entries.js";

const KEPT = 500;
const TABLES = ["entries", "logs", "outbox", "kept"];

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Tables in memory; the same contract as those in IndexedDB. */
export class Memory {
  #tables = new Map(TABLES.map((table) => [table, new Map()]));
  #last = Promise.resolve();

  /** Do `work` with the tables, alone. */
  run(work) {
    const table = (name) => this.#tables.get(name);
    const found = (log, id, least) =>
      [...table("entries").values()].filter((row) => row.log === log && (id === undefined || row.id === id) && row.seq <= least).sort((a, b) => a.seq - b.seq);
    const key = (row) => (row.wire ? `${row.log} ${row.id} ${row.seq}` : row.key ?? row.nonce ?? row.log);
    const tables = {
      get: async (name, ...at) => structuredClone(table(name).get(at.join(" "))),
      all: async (name) => structuredClone([...table(name).values()]),
      put: async (name, row) => void table(name).set(name === "outbox" ? row.nonce : key(row), structuredClone(row)),
      delete: async (name, at) => void table(name).delete(at),
      newest: async (log, id, most, least) => structuredClone(found(log, id, least).slice(-most)),
      below: async (log, id, least) => found(log, id, least).forEach((row) => table("entries").delete(key(row))),
      clear: async (name) => table(name).clear(),
    };
    return (this.#last = this.#last.catch(() => {}).then(() => work(tables)));
  }

  close() {}

  async destroy() {
    for (const table of this.#tables.values()) table.clear();
  }
}

/** Tables in a database of IndexedDB. */
class Indexed {
  #name;
  #factory;
  #database;
  #closed = false;

  constructor(factory, name) {
    this.#factory = factory;
    this.#name = name;
  }

  async open() {
    const request = this.#factory.open(this.#name, 1);
    request.onupgradeneeded = () => {
      const keys = { entries: ["log", "id", "seq"], logs: "log", outbox: "nonce", kept: "key" };
      for (const table of TABLES) request.result.createObjectStore(table, { keyPath: keys[table] });
    };
    this.#database = await done(request);
    this.#database.onversionchange = () => this.close();
    return this;
  }

  async run(work, mode = "readwrite") {
    let transaction;
    try {
      transaction = this.#database.transaction(TABLES, mode);
    } catch (error) {
      // Some phones cut the connection of a page that was in the background.
      if (this.#closed) throw error;
      await this.open();
      transaction = this.#database.transaction(TABLES, mode);
    }
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    ended.catch(() => {});
    const table = (name) => transaction.objectStore(name);
    const range = (log, id, least) =>
      id === undefined ? IDBKeyRange.bound([log], [log, []]) : IDBKeyRange.bound([log, id], [log, id, least]);
    const result = await work({
      get: (name, ...at) => done(table(name).get(at.length > 1 ? at : at[0])),
      all: (name) => done(table(name).getAll()),
      put: (name, row) => done(table(name).put(row)),
      delete: (name, at) => done(table(name).delete(at)),
      newest: async (log, id, most, least) => {
        // A cursor would take a turn for each row.
        const keys = await done(table("entries").getAllKeys(range(log, id, least)));
        return keys.length ? done(table("entries").getAll(IDBKeyRange.bound(keys.at(-most) ?? keys[0], keys.at(-1)))) : [];
      },
      below: (log, id, least) => done(table("entries").delete(range(log, id, least))),
      clear: (name) => done(table(name).clear()),
    });
    await ended;
    return result;
  }

  close() {
    this.#closed = true;
    this.#database?.close();
  }

  async destroy() {
    this.close();
    await done(this.#factory.deleteDatabase(this.#name));
  }
}

export class Store {
  #tables;
  #ready;
  #batch = null;
  #told;
  #port;

  /**
   * @param {string} login @param {object} port @param {(problem: "memory"|"full") => void} told what does not work
   */
  constructor(login, port, told) {
    this.login = login;
    this.#told = told;
    this.#port = port;
    this.#ready = this.#open();
  }

  async #open() {
    const { login } = this;
    const port = this.#port;
    try {
      this.#tables = port.tables?.(login) ?? (await new Indexed(port.indexedDB, `tertulia:${login}`).open());
    } catch {
      this.#tables = new Memory();
      this.#told("memory");
    }
  }

  async #run(work, mode) {
    await this.#ready;
    return this.#tables.run(work, mode);
  }

  /** All but the entries. @returns {Promise<{logs: object[], outbox: object[], kept: Object<string, *>}>} */
  async load() {
    return this.#run(async (t) => ({
      logs: await t.all("logs"),
      outbox: await t.all("outbox"),
      kept: Object.fromEntries((await t.all("kept")).map(({ key, value }) => [key, value])),
    }), "readonly");
  }

  /** The newest entries up to `seq`, oldest first, and above what they are complete; null if there are none of them here. */
  older(log, id, most, seq) {
    return this.#run(async (t) => {
      const row = await t.get("logs", log);
      if (row?.id !== id || row.seq < seq || row.low >= seq) return null;
      const wires = (await t.newest(log, id, most, seq)).map(({ wire }) => wire).filter((wire) => wire.seq > row.low);
      return { wires, low: wires.length < most ? row.low : wires[0].seq - 1 };
    }, "readonly");
  }

  /** Something a reload should find, under a word; nothing, if there is no `value`. */
  keep(key, value) {
    return this.#write((t) => (value === undefined ? t.delete("kept", key) : t.put("kept", { key, value })));
  }

  /** @param {object} post @returns {Promise<boolean>} whether it is on disk now */
  async post(post) {
    return this.#write((t) => t.put("outbox", post));
  }

  unpost(nonce) {
    return this.#write((t) => t.delete("outbox", nonce));
  }

  /** All that is there above `low` up to `seq`; written soon. `changed`: what a change makes of a message. */
  follow(log, id, low, seq, wires, changed) {
    if (!this.#batch) {
      this.#batch = [];
      this.#port.set(() => this.flush(), 100);
    }
    this.#batch.push({ log, id, low, seq, wires, changed });
  }

  async flush() {
    const batch = this.#batch;
    this.#batch = null;
    if (!batch) return;
    await this.#write(async (t) => {
      for (const part of batch) await merge(t, part);
    });
  }

  /** The log is no more, or not for this account. */
  drop(log) {
    this.#batch = this.#batch?.filter((part) => part.log !== log);
    return this.#write(async (t) => {
      await t.delete("logs", log);
      await t.below(log, undefined, Infinity);
    });
  }

  async #write(work) {
    try {
      await this.#run(work);
      return true;
    } catch {
      try {
        // Perhaps the disk is full: what others said can be read again.
        await this.#run(async (t) => {
          await t.clear("entries");
          await t.clear("logs");
        });
        await this.#run(work);
        return true;
      } catch {
        this.#told("full");
        return false;
      }
    }
  }

  /** Forget what others said; one's own words stay for when one is back. */
  async forget() {
    this.#batch = null;
    await this.#write(async (t) => {
      for (const table of ["entries", "logs"]) await t.clear(table);
      await t.delete("kept", "me");
    });
    this.#tables.close();
  }

  async destroy() {
    this.#batch = null;
    await this.#ready;
    await this.#tables.destroy();
  }

  close() {
    this.flush().then(() => this.#tables?.close());
  }
}

/** Write a part of a log, beside what another tab may have written meanwhile. */
async function merge(t, { log, id, low, seq, wires, changed }) {
  let known = await t.get("logs", log);
  if (known && (known.id !== id || known.seq < low || seq < known.low)) {
    // They do not touch: the newer one counts.
    if (known.id === id && known.seq > seq) return;
    await t.below(log, undefined, Infinity);
    known = undefined;
  }
  for (const wire of wires) {
    const there = (known || isChange(wire)) && (await t.get("entries", log, id, isChange(wire) ? wire.target : wire.seq));
    if (isChange(wire)) {
      if (there) await t.put("entries", { ...there, wire: changed(there.wire, wire) });
    } else if (!there || (there.wire.changed ?? 0) < (wire.changed ?? 0)) await t.put("entries", { log, id, seq: wire.seq, wire });
  }
  const row = { log, id, low: Math.min(known?.low ?? low, low), seq: Math.max(known?.seq ?? seq, seq), added: (known?.added ?? 0) + wires.length };
  if (row.added > KEPT / 4) {
    row.added = 0;
    const newest = await t.newest(log, id, KEPT, Infinity);
    if (newest.length === KEPT) {
      row.low = Math.max(row.low, newest[0].seq - 1);
      await t.below(log, id, row.low);
    }
  }
  await t.put("logs", row);
}
