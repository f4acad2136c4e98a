/**
 * Who is in a room: those present first. Must not know where it is shown.
 */
import { h, steady } from "../view/dom.js";
import { _, ngettext } from "../view/language.js";
import { name } from "./message.js";
import { line } from "./text.js";

const SAID = { away: () => _("away"), dnd: () => _("not to be disturbed") };

/** @param {import("./pane.js").Pane} pane @returns {{title: string, content: HTMLElement, close: () => void}} */
export function members(pane) {
  const { chat, talk, shell } = pane;
  const list = h("ul", { class: "people" });
  const count = h("p", { class: "count", role: "status" }, _("Loading…"));
  const content = h("div", { class: "members" }, subject(pane), count, list);

  const attempt = (act) => act().catch((error) => shell.fail(error));
  function menu(anchor, each) {
    const { view } = talk;
    const mine = chat.me.operator || view.creator === chat.me.login;
    const keeps = view.moderators.includes(each.login);
    const self = each.login === chat.me.login;
    const said = { room: talk.key, login: each.login };
    shell.menu(anchor, [
      { label: _("Who is {login}?", { login: line(each.login) }), act: () => shell.person(each.login) },
      !self && { label: _("Private message"), act: () => shell.show(chat.person(each.login).key) },
      mine && !self && each.login !== view.creator && {
        label: keeps ? _("No longer keeps order here") : _("Let them keep order here"),
        act: () => attempt(() => chat.request("moderate", { ...said, on: !keeps })),
      },
      !self && view.creator && (mine || (view.moderators.includes(chat.me.login) && !keeps && each.login !== view.creator)) && {
        label: _("Remove from the room"), danger: true,
        act: async () => (await shell.confirm({
          title: _("Remove {login} from {room}?", { login: line(each.login), room: `#${line(talk.name)}` }), ok: _("Remove"), danger: true,
        })) && attempt(() => chat.request("remove", said)),
      },
    ].filter(Boolean), line(each.login));
  }

  function row(each) {
    const { view } = talk;
    const is = [each.bot && _("bot"), each.login === view?.creator && _("made the room"), view?.moderators.includes(each.login) && _("keeps order"),
      each.online && SAID[each.status]?.(), !each.online && _("not here now")].filter(Boolean);
    return h("li", null, h("button", { type: "button", class: each.online ? "on" : "off", "aria-haspopup": "menu", onclick: (event) => menu(event.currentTarget, each) },
      h("span", { class: `dot ${each.online ? each.status : ""}`, "aria-hidden": "true" }, each.online ? "●" : "○"), name(each.login), h("span", { class: "sub" }, is.join(", "))));
  }

  function draw() {
    if (!talk.members) return;
    const all = [...talk.members.values()].sort((one, other) => other.online - one.online || one.login.localeCompare(other.login));
    const here = all.filter((each) => each.online).length;
    count.textContent = ngettext("{n} member, {online} here now", "{n} members, {online} here now", all.length, { online: here });
    const had = document.activeElement?.closest?.(".people li");
    const at = had ? [...list.children].indexOf(had) : -1;
    list.replaceChildren(...all.slice(0, 500).map(row));
    if (all.length > 500) list.append(h("li", { class: "sub" }, _("… and {n} more", { n: all.length - 500 })));
    if (at >= 0) list.children[Math.min(at, list.children.length - 1)]?.querySelector("button").focus();
  }

  const left = new AbortController();
  const redraw = steady(list, draw, left);
  const heard = ({ detail }) => detail.key === talk.key && (detail.what === "roster" || detail.what === "view") && redraw();
  chat.addEventListener("talk", heard, left);
  chat.members(talk.key).then(draw, (error) => { if (!talk.members) count.textContent = error.message; });
  draw();
  return { title: `#${line(talk.name)}`, content, close: () => left.abort() };
}

/** The room's topic line, to be changed by who may. */
function subject({ chat, talk, shell }) {
  const { view } = talk;
  const { me } = chat;
  const may = me.operator || view.creator === me.login || view.moderators.includes(me.login);
  if (!may) return view.subject ? h("p", { class: "subject", dir: "auto" }, line(view.subject)) : null;
  const field = h("input", { value: view.subject, maxLength: 200, dir: "auto" });
  return h("form", { class: "subject", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await chat.request("subject", { room: talk.key, subject: field.value.trim() });
      shell.toast(_("The topic is set."));
    } catch (error) {
      shell.fail(error);
    }
  } }, h("label", null, _("Topic"), field), h("button", { type: "submit" }, _("Set")));
}
