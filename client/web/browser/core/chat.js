/**
 * One broker, as this browser sees it: talks, what was said in them, who one is. What the views draw, and what they call.
 *
 * The views read the objects below and never write to them. Must not know the DOM.
 *
 * @typedef {object} Entry One thing that was said. The object stays the same from pending to sent, and while it changes.
 * @property {string} key the talk it belongs to
 * @property {string} log the log it stands in: the room's name, or "@" and one's own login
 * @property {number} seq its place there; 0 as long as it is not there
 * @property {string} nonce base64; "" of `invited`
 * @property {"message"|"direct"|"invited"} kind
 * @property {string} sender a login
 * @property {boolean} mine whether one said it oneself
 * @property {boolean} mention whether it names oneself
 * @property {string} text hostile; empty if retracted
 * @property {number} time milliseconds, the broker's clock
 * @property {number} edited when it was changed last, 0 for never
 * @property {boolean} retracted
 * @property {number} replyTo `seq` of what it answers in the same log, 0 for nothing
 * @property {Entry|null} quoted that message, if it is loaded (a getter)
 * @property {string} [room] of `invited`: the room's name
 * @property {{emoji: string, count: number, mine: boolean}[]} reactions
 * @property {"pending"|"sent"|"failed"} state
 * @property {boolean} safe of pending ones: whether it would survive a reload (it is on disk)
 * @property {string[]} changing of one's changes under way: "edit", "retract", "react"
 * @property {Refusal} [error] why it failed
 *
 * @typedef {object} Talk A room one is in, or the conversation with one person.
 * @property {string} key room's name or "@login"
 * @property {"room"|"person"} kind
 * @property {string} name room's name or login
 * @property {object|null} view the RoomView (PROTOCOL §8) of a room, kept up to date
 * @property {Entry[]} entries what is loaded, oldest first, without holes; what is pending or failed at the end
 * @property {boolean} loaded whether `entries` was asked for (`open`), and not only cached or heard
 * @property {boolean} loading
 * @property {boolean} first whether the beginning of all that one may read is in `entries`
 * @property {boolean} last whether the newest is in `entries`; otherwise `newer` or `latest`
 * @property {number} unread others' messages after `read`, as far as known
 * @property {boolean} unreadMore whether there are more than `unread` says
 * @property {number} mentions those among them that name oneself; of a person all
 * @property {number} read `seq` up to which it was read
 * @property {number} head `seq` of the newest entry known of
 * @property {"all"|"mentions"|"off"|null} notify
 * @property {Set<string>} typing logins who write now
 * @property {Map<string, {login: string, online: boolean, status: string, bot: boolean}>|null} members null: not asked yet
 * @property {string} draft
 * @property {number} active when something was said last, by the broker's clock; the order of the list
 */

/** What the broker or the gateway refused, or what could not be asked (`code` "no-answer", "offline"). */
export class Refusal extends Error {
  /** @param {{code: string, message?: string, retry_after?: number}} error */
  constructor({ code, message = code, retry_after: retryAfter }) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * Emits CustomEvents; `detail` is:
 * - "link" {state}, "me" {}, "server" {};
 * - "talks" {}: the list, its order, or counts have changed;
 * - "talk" {key, what: "view"|"roster"|"typing"|"mark"|"loading"|"draft"};
 * - "entries" {key, change, entries}: "end" (new ones; each stands where `talk.entries` has it: before what is pending),
 *   "start" (older ones, prepended), "changed" (they look different or have moved), "removed", "reset" (take all anew);
 * - "heard" {key, entry}: somebody else said something just now (ring, live region);
 * - "notice" {key, kind, time, …}: "joined" {login}, "left" {login, reason}, "subject" {by, subject}, "moderators" {by, added,
 *   removed}, "room-joined" {}, "room-left" {reason}, "refused" {op, entry, text, error} (a change of a message), "storage" {problem};
 * - "ended" {reason}: logged out, here or elsewhere; `start` again after the next login.
 */
export class Chat extends EventTarget {
  /** @type {"connecting"|"live"|"offline"|"ended"} */ link = "connecting";
  /** since when, milliseconds, local wall clock */ linkSince = 0;
  /** @type {null|{login: string, operator: boolean, status: string, note: string, current: string}} */ me = null;
  server = { name: "", defaultRoom: "", registration: "open", push: false };
  /** @type {Map<string, Talk>} */ talks = new Map();
  /** posts and changes that are not acknowledged yet */ waiting = 0;
  /** @type {null|"memory"|"full"} why what is typed offline would not survive a reload */ problem = null;

  /** @param {{lang?: string}} options `lang`: of the broker's sentences */
  constructor(options = {}) { super(); }

  /** The broker's clock, milliseconds. */ now() { return Date.now(); }
  /** How far it is ahead of the local one, milliseconds. */ get offsetMs() { return 0; }
  /** The bound on that, milliseconds; null without a sample. */ get errorMs() { return null; }
  /** Of the latest answer, milliseconds; null without a sample. */ get roundTripMs() { return null; }

  /** Connect, and show what is cached of who used this browser last. */ async start() {}
  /** Disconnect; nothing is lost. */ async stop() {}
  /** Tell the gateway to log out, and delete all that is kept here. */ async logout() {}
  /** The page is (not) visible. */ visible(on) {}

  /**
   * Make a request of PROTOCOL §7.
   * @returns {Promise<object>} the reply; rejects with Refusal
   */
  async request(op, fields = {}, { timeout = 15000 } = {}) {}
  /** All pages of "users", "rooms" or "members". @returns {Promise<object[]>} */ async list(op, fields = {}) {}
  /** @returns {Promise<{hits: Entry[], more: boolean}>} newest first; of all talks without `key` */
  async search(query, { key, sender, before } = {}) {}

  /** Say something; it goes out when it can. @returns {Entry} throws Refusal ("bad-text", "too-many", "no-such-room") */
  post(key, text, replyTo = 0) {}
  edit(entry, text) {}
  retract(entry) {}
  react(entry, emoji, on = true) {}
  /** Send again what failed. */ retry(entry) {}
  /** Give up what failed, or is pending and has not gone out. @returns {boolean} whether that worked */ discard(entry) {}

  /** Ways into and out of rooms: each resolves when the broker has done it. @returns {Promise<string>} the talk's key */
  async join(name) {}
  async enter(name) {}
  async create(name, options = {}) {}
  async leave(name) {}
  async delete(name) {}
  /** The conversation with somebody; made if it is not there. @returns {Talk} */ person(login) {}

  /** Make a talk the one that is looked at, and load its newest page: from disk at once, then from the broker. */
  async open(key) {}
  async close(key) {}
  /** Load more at either end. @returns {Promise<number>} how many came */ async older(key) {}
  async newer(key) {}
  /** Load where `seq` stands. */ async around(key, seq) {}
  /** Load the newest again, if `last` is false. */ async latest(key) {}
  /** Load who is there; `talk.members` is kept from then on. */ async members(key) {}

  /** It was read up to there; the broker is told after a moment. */ read(key, seq) {}
  /** @param {"all"|"mentions"|"off"} what */ async notify(key, what) {}
  /** One writes (again), or no longer. Call it as often as you like. */ typing(key, on = true) {}
  /** Keep what is typed, but not sent. */ draft(key, text) {}
  async setStatus(status, note = "") {}
}
