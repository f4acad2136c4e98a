/**
 * Forms: fields from a table, each error beside its field, a refusal in the broker's words, a pause counted down.
 * Must not know what is asked for, or of whom.
 *
 * @typedef {object} Field
 * @property {string} name of the operation's field
 * @property {string} label
 * @property {"text"|"password"|"number"|"checkbox"|"select"|"radio"} [type]
 * @property {any} [value]
 * @property {string} [hint]
 * @property {[string, string][]} [options] of select and radio: value, label
 * @property {string} [autocomplete]
 * @property {boolean} [optional]
 * @property {boolean} [readOnly]
 * @property {number} [min] characters, of a number itself
 * @property {number} [max]
 * @property {string[]} [codes] refusals that concern this field
 * @property {Promise<string[]>} [proposals] what could be typed, of which the browser shows what fits
 */
import { h } from "./dom.js";
import { _, ngettext, sentence } from "./language.js";

let made = 0;
/** The rows of each form. */
const inside = new WeakMap();

/** What is in a form as it was typed, right or wrong, by the names of its fields: for the `typed` of another one. */
export const typedInto = (element) => Object.fromEntries((inside.get(element) ?? []).map((each) => [each.name, each.typed]));

/**
 * @param {Field[]} fields
 * @param {{ok: string, act: (values: Record<string, any>) => Promise<void>, extra?: any, typed?: Record<string, any>}} options
 *   `act` rejects with a Refusal; `typed`: what stands in fields in place of their `value`, by their names
 * @returns {HTMLFormElement}
 */
export function form(fields, { ok, act, extra = null, typed = {} }) {
  const rows = fields.map((field) => row(Object.hasOwn(typed, field.name) ? { ...field, value: typed[field.name] } : field));
  const alert = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { class: "primary" }, ok);
  let timer = 0;

  const element = h("form", {
    class: "form",
    noValidate: true,
    async onsubmit(event) {
      event.preventDefault();
      if (button.disabled) return;
      alert.hidden = true;
      const wrong = rows.filter((each) => !each.check());
      if (wrong.length) return wrong[0].focus();
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      try {
        await act(Object.fromEntries(rows.map((each) => [each.name, each.value])));
      } catch (error) {
        refused(error);
      } finally {
        button.removeAttribute("aria-busy");
        if (!timer) button.disabled = false;
      }
    },
  }, rows.map((each) => each.element), alert, h("div", { class: "actions" }, extra, button));

  function refused(error) {
    const concerned = rows.find((each) => each.codes?.includes(error.code));
    if (concerned) {
      concerned.fail(sentence(error));
      concerned.focus();
    } else {
      alert.textContent = sentence(error);
      alert.hidden = false;
    }
    if (error.retryAfter > 0) pause(Date.now() + 1000 * error.retryAfter);
  }

  function pause(until) {
    clearTimeout(timer);
    const left = Math.ceil((until - Date.now()) / 1000);
    timer = left > 0 && element.isConnected ? setTimeout(pause, 250, until) : 0;
    button.disabled = Boolean(timer);
    button.textContent = timer ? ngettext("Wait {n} second", "Wait {n} seconds", left) : ok;
  }
  inside.set(element, rows);
  return element;
}

/** @param {Field} field */
function row(field) {
  const { name, label, type = "text", value = "", hint, options = [], autocomplete, optional = false, readOnly = false, min = 0, max = 0, codes, proposals } = field;
  const id = `field-${++made}`;
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const help = hint && h("p", { class: "aid", id: `${id}-hint` }, hint);
  const common = { id, name, "aria-describedby": `${id}-error${hint ? ` ${id}-hint` : ""}`, "aria-required": optional ? null : true };
  let input;
  let element;
  if (type === "radio") {
    const choice = ([each, said]) => h("label", { class: "choice" }, h("input", { type, name: id, value: each, checked: each === value }), said);
    element = input = h("fieldset", { class: "field", "aria-describedby": common["aria-describedby"] }, h("legend", null, label), options.map(choice), help, error);
  } else if (type === "checkbox") {
    input = h("input", { ...common, "aria-required": null, type, checked: Boolean(value) });
    element = h("div", { class: "field" }, h("label", { class: "choice" }, input, h("span", null, label, help)), error);
  } else if (type === "select") {
    input = h("select", { ...common, autocomplete }, options.map(([each, said]) => h("option", { value: each, selected: each === value }, said)));
  } else {
    const secret = type === "password";
    input = h("input", {
      ...common, type: type === "number" ? "text" : type, value, autocomplete, readOnly, spellcheck: false, dir: "auto",
      inputMode: type === "number" ? "numeric" : "text",
      autocapitalize: secret || ["username", "off"].includes(autocomplete) ? "none" : "words",
    });
    const eye = secret && h("button", {
      type: "button", class: "plain", "aria-pressed": "false",
      onclick() {
        input.type = input.type === "password" ? "text" : "password";
        eye.setAttribute("aria-pressed", String(input.type === "text"));
        eye.textContent = input.type === "text" ? _("Hide") : _("Show");
      },
    }, _("Show"));
    if (secret) element = h("div", { class: "field" }, h("label", { htmlFor: id }, label), h("div", { class: "with-button" }, input, eye), help, error);
  }
  element ??= h("div", { class: "field" }, h("label", { htmlFor: id }, label), input, help, error);
  element.addEventListener("input", () => fail(""));
  proposals?.then((all) => {
    element.append(h("datalist", { id: `${id}-list` }, all.map((each) => h("option", { value: each }))));
    input.setAttribute("list", `${id}-list`);
  }, () => { /* Then it is typed in full. */ });

  function fail(text) {
    error.textContent = text;
    error.hidden = !text;
    if (type !== "radio") input.setAttribute("aria-invalid", String(Boolean(text)));
  }

  const typed = () => {
    if (type === "radio") return element.querySelector("input:checked")?.value ?? "";
    return type === "checkbox" ? input.checked : input.value;
  };

  const given = () => {
    const now = typed();
    if (type === "number") return now.trim() === "" ? "" : Number(now);
    return ["text", "select"].includes(type) ? now.trim() : now;
  };

  const fault = (said) => {
    if (type === "checkbox") return "";
    if (said === "") return optional ? "" : type === "radio" ? _("Choose one.") : _("This is needed.");
    if (type === "number") return Number.isInteger(said) && said >= min && said <= max ? "" : _("A whole number from {min} to {max}.", { min, max });
    const length = [...String(said)].length;
    if (max && length > max) return ngettext("At most {n} character.", "At most {n} characters.", max);
    return length < min ? ngettext("At least {n} character.", "At least {n} characters.", min) : "";
  };

  return {
    name, codes, element, fail,
    get typed() { return typed(); },
    get value() { return given(); },
    check() {
      const text = fault(given());
      fail(text);
      return !text;
    },
    focus: () => (type === "radio" ? element.querySelector("input") : input).focus(),
  };
}
