/**
 * Before one is logged in: the forms to log in and to make an account, and the page for who came without TLS.
 * Must not know the chat: it talks to /api only.
 */
import { Refusal } from "../core/chat.js";
import { h, visible } from "./dom.js";
import { form, typedInto } from "./form.js";
import { _, facts, lang, LANGUAGES, speak } from "./language.js";
import { prefer } from "./device.js";

/** How people may describe themselves; the values are the protocol's. */
export const genders = () => [["female", _("Female")], ["male", _("Male")], ["other", _("Other")], ["undisclosed", _("I would rather not say")]];

async function asked(path, values) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...values, lang }) });
  } catch {
    throw new Refusal({ code: "offline" });
  }
  const said = await answer.json().catch(() => ({}));
  if (!said.ok) throw new Refusal(said.error ?? { code: "internal", message: _("The server cannot answer now. Try again in a moment.") });
  return said;
}

/** What is told of the server to who is not logged in; nothing if it cannot be had now. @returns {Promise<{server?: string, registration?: string}>} */
const introduced = () => fetch("/api/server").then((answer) => answer.json()).then((said) => (said?.ok ? said : {})).catch(() => ({}));

const why = (reason) => ({
  revoked: _("This session was ended from another device."),
  "logged-out": _("You are logged out, for you have not been here for long, or it was done elsewhere."),
  disabled: _("This account was disabled."),
  password: _("The password was changed. Log in again."),
}[reason] ?? "");

/**
 * The forms, in the place of all that is in `body`.
 * @param {{reason?: string, entered: (login: string) => Promise<void>, before?: object}} options `reason`: why one was logged
 *   out; `entered` is called once one is in; `before`: where the forms in another language were: which one, and what was typed
 */
export async function showEntrance(body, { reason = "", entered, before = { which: "login", form: null, typed: {} } }) {
  const { limits } = await facts().catch(() => ({ limits: {} }));
  const [least, most] = limits.PASSWORD_LENGTH ?? [0, 0];
  const [youngest, oldest] = limits.AGE_RANGE ?? [0, 150];
  const keep = { name: "keep", label: _("Stay logged in on this device"), type: "checkbox", value: true };
  const login = { name: "login", label: _("Login"), autocomplete: "username", max: limits.NAME_LENGTH, codes: ["bad-name", "name-taken"] };

  const act = (path) => async (values) => {
    const said = await asked(path, values);
    await entered(said.login);
  };
  const forms = {
    login: (typed) => form([
      login,
      { name: "password", label: _("Password"), type: "password", autocomplete: "current-password", codes: ["wrong-password"] },
      keep,
    ], { ok: _("Log in"), act: act("/api/login"), typed }),
    register: (typed) => form([
      { name: "first_names", label: _("First names"), autocomplete: "given-name", max: limits.PERSON_NAME_LENGTH },
      { name: "surnames", label: _("Surnames"), autocomplete: "family-name", max: limits.PERSON_NAME_LENGTH },
      { ...login, hint: _("The name that others see and call you by.") },
      { name: "password", label: _("Password"), type: "password", autocomplete: "new-password", min: least, max: most, codes: ["bad-password"],
        hint: least ? _("At least {n} characters. A few words that only you put together are a good one.", { n: least }) : "" },
      { name: "age", label: _("Age"), type: "number", min: youngest, max: oldest, hint: _("Only you and the operator see age and gender.") },
      { name: "gender", label: _("Gender"), type: "radio", options: genders() },
      keep,
    ], { ok: _("Make the account"), act: act("/api/register"), typed }),
  };

  const place = h("div");
  const name = h("h1", { dir: "auto" }, "Tertulia");
  const tabs = [["login", _("Log in")], ["register", _("New here")]].map(([which, label]) =>
    h("button", { type: "button", data: { which }, onclick: () => turn(which, true) }, label));
  function turn(which, focus) {
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.which === which));
    // What one form has not asked for is kept for the other.
    Object.assign(before.typed, typedInto(before.form));
    Object.assign(before, { which, form: forms[which](before.typed) });
    place.replaceChildren(before.form);
    if (focus) place.querySelector("input").focus();
  }
  turn(before.which);
  const tongue = h("select", {
    "aria-label": _("Language"),
    async onchange() {
      prefer("lang", tongue.value);
      await speak();
      showEntrance(body, { reason, entered, before });
    },
  }, Object.entries(LANGUAGES).map(([tag, name]) => h("option", { value: tag, selected: tag === lang, lang: tag }, name)));
  document.title = "Tertulia";
  const doors = h("div", { class: "tabs", role: "group", "aria-label": _("Log in or make an account") }, tabs);
  const closed = h("p", { class: "aid", hidden: true }, _("Accounts are made by the operator of this server: ask them for one."));
  body.replaceChildren(
    h("main", { class: "entrance" },
      h("header", null, name, h("p", null, _("Good talk, among your own."))),
      why(reason) && h("p", { class: "card", role: "status" }, why(reason)),
      doors,
      place,
      closed,
      h("footer", null, tongue)),
  );
  if (matchMedia("(hover: hover)").matches) place.querySelector("input").focus();
  const { server = "Tertulia", registration = "open" } = await introduced();
  if (!name.isConnected) return;
  document.title = name.textContent = visible(server);
  if (registration === "open") return;
  doors.remove();
  closed.hidden = false;
  if (tabs[1].getAttribute("aria-pressed") === "true") turn("login");
}

/** For who came by plain http from another machine: why it cannot work so, and what to do. */
export function showInsecure(body) {
  const safe = `https://${location.host}`;
  body.replaceChildren(
    h("main", { class: "entrance" },
      h("header", null, h("h1", null, "Tertulia")),
      h("div", { class: "card" },
        h("h2", null, _("This connection is not encrypted")),
        h("p", null, _("Everything you type here, your password too, could be read on its way. So browsers do not give a page like this what it needs, and Tertulia does not log you in.")),
        h("h3", null, _("What you can do")),
        h("ul", null,
          h("li", null, _("Try the same address with https:"), " ", h("a", { href: safe }, safe)),
          h("li", null, _("On the machine where it runs, open it as localhost.")),
          h("li", null, _("If it is your server: give it a certificate (--tls-cert and --tls-key), or put a proxy with TLS before it. docs/WEB.md shows how."))))),
  );
}
