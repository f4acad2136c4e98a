/**
 * What one may set: how it looks and speaks here, what is told when the page is closed; who one is, the password, the
 * sessions; and the way out. Must not know how any of it is kept.
 */
import { installCard, installing } from "../install.js";
import { pushOff, pushRow } from "../push.js";
import { prefer, preferred } from "./device.js";
import { confirm } from "./dialogs.js";
import { h, icon, visible } from "./dom.js";
import { editStatus, mayLogOut } from "./doors.js";
import { genders } from "./enter.js";
import { form } from "./form.js";
import { _, facts, lang, LANGUAGES, moment, number, sentence } from "./language.js";
import { said } from "./lists.js";

/**
 * @param {HTMLElement} element emptied first
 * @param {import("../core/chat.js").Chat} chat
 * @param {string} part "", "profile", "password" or "sessions"
 * @param {import("./shell.js").Shell} shell
 * @returns {{focus: () => void, destroy: () => void}}
 */
export function mountSettings(element, chat, part, shell) {
  const stop = new AbortController();
  const until = { signal: stop.signal };
  const pages = { "": overview, profile, password, sessions };
  const titles = { "": _("Settings"), profile: _("Profile"), password: _("Change the password"), sessions: _("Where you are logged in") };
  const here = Object.hasOwn(pages, part) ? part : "";
  const back = h("button", { type: "button", class: `round${here ? "" : " only-narrow"}`, "aria-label": _("Back"), onclick: () => shell.back() }, icon("back"));
  const title = h("h1", { tabIndex: -1 }, titles[here]);
  const place = h("div", { class: "settings" });
  element.replaceChildren(h("header", { class: "bar" }, back, title), h("div", { class: "scroll" }, place));

  /** Show what the broker says, or why it did not. */
  async function told(ask, draw) {
    place.replaceChildren(h("p", { class: "aid", role: "status" }, _("One moment…")));
    try {
      const [answer, limits] = await Promise.all([ask(), facts().then((all) => all.limits, () => ({}))]);
      if (!stop.signal.aborted) place.replaceChildren(...[draw(answer, limits)].flat());
    } catch (error) {
      if (stop.signal.aborted) return;
      place.replaceChildren(h("p", { class: "error", role: "alert" }, sentence(error)),
        h("button", { type: "button", onclick: () => told(ask, draw) }, _("Try again")));
    }
  }

  const section = (name, ...rows) => h("section", { class: "card" }, h("h2", null, name), rows);
  const link = (to, label, hint) => h("a", {
    class: "setting", href: `#/settings/${to}`,
    onclick(event) { event.preventDefault(); shell.open(`settings/${to}`); },
  }, h("span", null, label, hint && h("small", null, hint)), h("span", { class: "chevron", "aria-hidden": true }));
  const choice = (label, now, options, chosen) => h("label", { class: "setting" }, h("span", null, label),
    h("select", { onchange: (event) => chosen(event.target.value) }, options.map(([value, text]) => h("option", { value, selected: value === now }, text))));

  function overview() {
    const status = h("small", { dir: "auto" });
    const server = h("dl", { class: "facts" });
    const install = h("div");
    const me = () => { status.textContent = chat.me ? [said({ online: true, status: chat.me.status }), visible(chat.me.note)].filter(Boolean).join(" · ") : ""; };
    const card = () => install.replaceChildren(...[installCard()].filter(Boolean));
    const clocks = () => {
      const { errorMs, offsetMs, roundTripMs } = chat;
      const ms = (n) => _("{n} ms", { n: number(Math.round(n * 10) / 10) });
      const rows = [[_("Server"), visible(chat.server.name)], [_("Logged in as"), visible(chat.me?.login ?? "")], [_("The server's time"), new Date(chat.now()).toLocaleTimeString(lang)]];
      if (errorMs !== null) rows.push([_("Clock offset"), `${ms(offsetMs)} ± ${ms(errorMs)}`]);
      if (roundTripMs !== null) rows.push([_("Round trip"), ms(roundTripMs)]);
      server.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", null, name), h("dd", { dir: "auto" }, value)]));
    };
    place.replaceChildren(
      install,
      section(_("You"),
        h("button", { type: "button", class: "setting", onclick: () => chat.me && editStatus(chat) }, h("span", null, _("Status"), status), h("span", { class: "chevron", "aria-hidden": true })),
        link("profile", titles.profile, _("Names, age, gender, and who sees when you were here")),
        link("password", titles.password),
        link("sessions", titles.sessions)),
      section(_("This device"),
        choice(_("Language"), preferred("lang"), [["", _("Automatic")], ...Object.entries(LANGUAGES)], (value) => {
          prefer("lang", value);
          location.reload();
        }),
        choice(_("Colours"), preferred("theme"), [["", _("Automatic")], ["light", _("Light")], ["dark", _("Dark")]], (value) => prefer("theme", value)),
        pushRow(chat),
        h("button", { type: "button", class: "setting", onclick: () => shell.open("keys") }, h("span", null, _("Keyboard")), h("span", { class: "chevron", "aria-hidden": true }))),
      section(_("Server"), server),
      h("button", { type: "button", class: "danger wide", onclick: logout }, _("Log out")));
    me();
    card();
    clocks();
    const ticking = setInterval(clocks, 1000);
    stop.signal.addEventListener("abort", () => clearInterval(ticking));
    chat.addEventListener("me", me, until);
    installing.addEventListener("change", card, until);
  }

  function profile() {
    told(() => chat.request("profile"), (person, limits) => {
      const [min, max] = limits.AGE_RANGE ?? [0, 150];
      return [
        h("p", { class: "aid" }, _("You are {login}, here since {time}.", { login: person.login, time: moment(person.created) })),
        form([
          { name: "first_names", label: _("First names"), value: person.first_names, autocomplete: "given-name", max: limits.PERSON_NAME_LENGTH },
          { name: "surnames", label: _("Surnames"), value: person.surnames, autocomplete: "family-name", max: limits.PERSON_NAME_LENGTH, optional: person.bot },
          { name: "age", label: _("Age"), type: "number", value: person.age ?? "", min, max, hint: _("Only you and the operator see age and gender.") },
          { name: "gender", label: _("Gender"), type: "radio", options: genders(), value: person.gender },
          { name: "show_seen", label: _("Others may see when you were last here"), type: "checkbox", value: person.show_seen },
        ], {
          ok: _("Save"),
          async act(values) {
            await chat.request("update-profile", values);
            shell.toast(_("Your profile is saved."));
          },
        }),
      ];
    });
  }

  function password() {
    told(async () => {}, (nothing, limits) => {
      const [min, max] = limits.PASSWORD_LENGTH ?? [0, 0];
      return [
        h("p", { class: "aid" }, _("All your other sessions end; this one goes on.")),
        form([
          // So that the browser's keeper of passwords knows whose it is.
          { name: "login", label: _("Login"), value: chat.me?.login ?? "", autocomplete: "username", readOnly: true },
          { name: "old", label: _("Password so far"), type: "password", autocomplete: "current-password", codes: ["wrong-password"] },
          { name: "new", label: _("New password"), type: "password", autocomplete: "new-password", min, max, codes: ["bad-password"],
            hint: min ? _("At least {n} characters. A few words that only you put together are a good one.", { n: min }) : "" },
        ], {
          ok: _("Change the password"),
          async act(values) {
            await chat.request("password", { old: values.old, new: values.new });
            shell.toast(_("The password is changed."));
            shell.back();
          },
        }),
      ];
    });
  }

  function sessions() {
    told(() => chat.request("sessions"), (answer) => {
      const row = (each) => {
        const end = async () => {
          if (!(await confirm({ title: _("End this session?"), text: visible(each.client), ok: _("End it"), danger: true }))) return;
          try {
            await chat.request("revoke", { session: each.id });
            sessions();
          } catch (error) {
            shell.fail(error);
          }
        };
        const state = each.current ? _("This device") : each.online ? _("Present now") : _("Last here {time}", { time: moment(each.seen) });
        return h("li", { class: "setting" },
          h("span", null, h("b", { dir: "auto" }, visible(each.client) || _("Unnamed")), h("small", null, state, " · ", _("since {time}", { time: moment(each.created) }))),
          !each.current && h("button", { type: "button", onclick: end }, _("End")));
      };
      const first = (each) => (each.current ? Infinity : each.seen);
      const sorted = [...answer.sessions].sort((one, other) => first(other) - first(one));
      return h("ul", { class: "card" }, sorted.map(row));
    });
  }

  let leaving = false;
  async function logout() {
    if (leaving) return;
    leaving = true;
    try {
      if (!(await mayLogOut(chat))) return;
      await pushOff(chat).catch(() => { /* The gateway finds it out with the next notice. */ });
      await chat.logout();
    } catch (error) {
      shell.fail(error);
    } finally {
      leaving = false;
    }
  }

  pages[here]();
  return { focus: () => title.focus({ preventScroll: true }), destroy: () => stop.abort() };
}
