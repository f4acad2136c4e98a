/**
 * Elements made by functions: text goes in as text, never as markup. Must not know what is shown.
 */
import { hue, line } from "../talk/text.js";

/**
 * An element. `props`: `class`, `on<event>` listeners, `data` (dataset), `hue` (a name: its colour, for what has class "hued"), `aria-*` and other attributes with a hyphen,
 * booleans (false and null leave an attribute out), and anything else as the element's property, or else its attribute.
 * Children: nodes, texts, numbers, arrays of them; null, undefined and false are left out.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "hue") element.style.setProperty("--hue", String(hue(value)));
    else if (name in element && !name.includes("-") && name !== "list" && name !== "form") element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : value);
    else if (name.startsWith("aria-")) element.setAttribute(name, "false");
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * The parts of a translated sentence with elements in the place of its fields:
 * `filled(_("{who} invites you"), { who: name("ana") })`.
 * @returns {(string | Node)[]}
 */
export const filled = (sentence, nodes) =>
  sentence.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? nodes[part.slice(1, -1)] ?? part : part));

/** Milliseconds between a finger's leaving and the click that comes of it; and for how long a press holds anything up. */
const CLICK_MS = 100;
const HELD_MS = 3000;

/**
 * `draw`, held back while `element` is pressed: what is pressed has to stand until it is let go, or there is no click.
 * @param {HTMLElement} element @param {() => void} draw @param {{signal?: AbortSignal}} [until] @returns {() => void} draws now, or then
 */
export function steady(element, draw, until) {
  let pressed = 0;
  let owed = false;
  const release = () => {
    pressed = 0;
    if (owed) draw();
    owed = false;
  };
  const press = (time) => {
    clearTimeout(pressed);
    pressed = setTimeout(release, time);
  };
  element.addEventListener("pointerdown", () => press(HELD_MS), until);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => pressed && press(CLICK_MS), until);
  return () => {
    if (pressed) owed = true;
    else draw();
  };
}

/** What somebody else has named, so that its direction cannot spill over: `<bdi>`. */
export const bdi = (text, props) => h("bdi", props, visible(text));

/** A line that others wrote, made harmless to draw. */
export const visible = line;

/**
 * One of this app's drawings: 24×24, in the colour of the text, hidden from screen readers.
 * @param {keyof typeof DRAWINGS} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", DRAWINGS[name]);
  svg.append(path);
  return svg;
}

const DRAWINGS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 1 0 0-13M15.5 15.5L20 20",
  more: "M12 4.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1M12 11.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1M12 18.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1",
  people: "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 1 0 0-7M2.5 20c.5-3.5 3-5 6.5-5s6 1.5 6.5 5M16 5.5a3.5 3.5 0 0 1 0 6M18 15.5c2 .7 3.2 2.2 3.5 4.5",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 1 0 0-5M9 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 1 0 0-5",
  send: "M4 12l16-8-6 16-3-6.5z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  check: "M5 12.5l4.5 4.5L19 7.5",
  reply: "M10 6l-6 6 6 6M4 12h9c4 0 7 2 7 6",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M8.5 14.5c1 1.3 2.2 2 3.5 2s2.5-.7 3.5-2M9 9.5v.01M15 9.5v.01",
};
