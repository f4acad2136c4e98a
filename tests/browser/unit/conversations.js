/** The whole app around a chat without a broker, for tests that look at conversations: `chat`, `shell` on `window`. */

import { Refusal } from "../../../client/web/browser/core/chat.js";
import { mountTalk } from "../../../client/web/browser/talk/pane.js";
import { Shell } from "../../../client/web/browser/view/shell.js";
import { speak } from "../../../client/web/browser/view/language.js";
import { FakeChat } from "./fake-chat.js";

const options = new URLSearchParams(location.search);

/** Of a long talk only the newest are loaded; older ones come page by page. */
class Paged extends FakeChat {
  kept = [];
  asked = 0;
  reads = [];

  hold(key, many) {
    const talk = this.talks.get(key);
    this.kept = talk.entries.splice(0, talk.entries.length - many);
    talk.first = false;
  }

  async older(key) {
    const talk = this.talks.get(key);
    this.asked++;
    const page = this.kept.splice(-50);
    talk.entries.unshift(...page);
    talk.first = !this.kept.length;
    this.dispatchEvent(new CustomEvent("entries", { detail: { key, change: "start", entries: page } }));
    return page.length;
  }

  async around(key, seq) {
    while (this.kept.length && !this.talks.get(key).entries.some((entry) => entry.seq === seq)) await this.older(key);
  }

  read(key, seq) {
    this.reads.push(seq);
    super.read(key, seq);
  }

  changed(entry, change) {
    Object.assign(entry, change);
    this.dispatchEvent(new CustomEvent("entries", { detail: { key: entry.key, change: "changed", entries: [entry] } }));
  }
}

await speak("en");
window.Refusal = Refusal;
window.mountTalk = mountTalk;
window.chat = new Paged({ entries: Number(options.get("entries") ?? 60), delay: 30 });
if (options.has("hold")) window.chat.hold("lobby", Number(options.get("hold")));
if (options.has("unread")) {
  const { lobby } = Object.fromEntries(window.chat.talks);
  const unread = Number(options.get("unread"));
  Object.assign(lobby, { unread, read: [...window.chat.kept, ...lobby.entries].at(-unread - 1).seq });
}
window.shell = new Shell(window.chat, document.body);
