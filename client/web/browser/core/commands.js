/**
 * Typed lines: something to say, a command with its arguments, or a mistake with advice; and what may stand at the cursor.
 *
 * As client/typed/grammar.py and completion.py, which say why; tests/vectors/typed.json holds both. Names are the broker's to
 * judge. Must not know what commands do.
 */

import { fold } from "./entries.js";

const MOST = 200;

class Wrong extends Error {}

const lower = (text) => text.toLowerCase();
const start = (text) => text.replace(/^[ \t]+/, "");
const fill = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** How many characters two words share in blocks of the same order (Ratcliff and Obershelp, as Python's difflib). */
function shared(a, b) {
  let [best, atA, atB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      let size = 0;
      while (i + size < a.length && a[i + size] === b[j + size]) size++;
      if (size > best) [best, atA, atB] = [size, i, j];
    }
  }
  return best && best + shared(a.slice(0, atA), b.slice(0, atB)) + shared(a.slice(atA + best), b.slice(atB + best));
}

export class Commands {
  #names = new Map();

  /** @param {object[]} specs `commands` of the facts @param {(text: string, values?: object) => string} translate */
  constructor(specs, translate = fill) {
    this.specs = specs;
    this.translate = translate;
    for (const spec of specs) for (const name of [spec.name, ...spec.aliases]) this.#names.set(lower(name), spec);
  }

  /** The command of that name or alias, with its prefix or without. */
  find(name) {
    return ["", "/", "#"].map((sign) => this.#names.get(sign + lower(name))).find(Boolean);
  }

  #near(name) {
    const folded = lower(name);
    if (folded.length < 2) return undefined;
    const swapped = this.#names.get((folded[0] === "/" ? "#" : "/") + folded.slice(1));
    if (swapped) return swapped;
    let [best, found] = [0.6, ""];
    for (const each of this.#names.keys()) {
      const ratio = (2 * shared([...each], [...folded])) / (each.length + folded.length);
      if (ratio > best || (ratio === best && each > found)) [best, found] = [ratio, each];
    }
    return this.#names.get(found);
  }

  /** A command and the rest of the line; null if it begins with none. */
  #split(line) {
    const own = line.match(/^#(?:\\private|\/?private(?=[\s<]|$))\s*/i);
    if (own) {
      const rest = line.slice(own[0].length);
      const login = rest.match(/^<\s*([^>\s]*)\s*>\s*([^]*)/);
      return [this.#names.get("#\\private"), login ? `${login[1]} ${login[2]}`.replace(/^ +/, "") : rest];
    }
    for (const form of [/^(\S+)[ \t]+(\S+)/, /^(\S+)/]) {
      const words = line.match(form);
      const spec = words && this.#names.get(lower(words.slice(1).join(" ")));
      if (spec) return [spec, start(line.slice(words[0].length))];
    }
    return null;
  }

  /** @returns {null|{say: string}|{spec: object, values: Object<string, string>, flags: string[]}|{mistake: string[]}} */
  parse(line) {
    const _ = this.translate;
    const text = line.trimStart();
    if (!text) return null;
    if (!"#/".includes(text[0])) return { say: line };
    if (text[1] === text[0]) return { say: text.slice(1) };
    const found = this.#split(text);
    if (!found) return this.#unknown(text);
    const [spec, rest] = found;
    try {
      return { spec, ...this.#values(spec, rest) };
    } catch (wrong) {
      if (!(wrong instanceof Wrong)) throw wrong;
      return { mistake: [wrong.message, _("Usage: {usage}   for example: {example}", spec)] };
    }
  }

  #unknown(text) {
    const _ = this.translate;
    const words = text.trim().split(/\s+/);
    const near = this.#near(words.slice(0, 2).join(" ")) ?? this.#near(words[0]);
    const none = _("There is no command {word}.", { word: words[0] });
    const meant = near ? _("Did you mean {usage}?", near) : _("/help lists all commands.");
    return { mistake: [`${none} ${meant}`, _("To say it as text, begin with {signs}", { signs: text[0].repeat(2) })] };
  }

  #values(spec, line) {
    const _ = this.translate;
    const command = spec.name;
    const values = {};
    const flags = new Set();
    let rest = this.#flags(spec, line, flags);
    for (const arg of spec.args) {
      if (!rest) break;
      if (arg.kind === "message" && arg.optional && !rest.startsWith("^")) continue;
      if (arg.kind === "text") [values[arg.name], rest] = [rest, ""];
      else if (arg.kind === "command") [values[arg.name], rest] = [rest.trim().split(/\s+/).join(" "), ""];
      else {
        const [word] = rest.split(/[ \n]/, 1);
        values[arg.name] = this.#checked(arg, word);
        rest = start(rest.slice(word.length + 1));
      }
      rest = this.#flags(spec, rest, flags);
    }
    for (const arg of spec.args) {
      if (arg.optional || arg.name in values) continue;
      const what = arg.kind === "room" ? _("a room's name") : arg.kind === "user" ? _("a login") : `<${arg.kind === "message" ? "^" : ""}${arg.label}>`;
      throw new Wrong(_("{command} needs {what}.", { command, what }));
    }
    rest = rest.trim();
    if (rest && spec.args.at(-1)?.kind === "room") {
      const name = [...Object.values(values), ...rest.split(/\s+/)].join("-");
      throw new Wrong(_("A room's name has no spaces: perhaps {name}?", { name }));
    }
    if (rest) throw new Wrong(_("{command} takes no more than that: '{rest}' is too much.", { command, rest }));
    return { values, flags: [...flags] };
  }

  #flags(spec, line, flags) {
    const _ = this.translate;
    let rest = line;
    while (rest.startsWith("--")) {
      const [first] = rest.split(" ", 1);
      const word = lower(first.trim());
      const options = Object.keys(spec.flags);
      if (!options.includes(word)) {
        const known = options.length ? _("It knows {options}.", { options: options.join(", ") }) : _("It has no options.");
        throw new Wrong([_("{command} has no option {word}.", { command: spec.name, word }), known].join(" "));
      }
      flags.add(word);
      rest = rest.slice(first.length + 1).trimStart();
    }
    return rest;
  }

  /** An argument as the broker wants it: without the sign that people write before names. */
  #checked({ kind, choices }, word) {
    const _ = this.translate;
    if (kind === "number" && !/^\d{1,15}$/.test(word)) throw new Wrong(_("'{word}' is no number.", { word }));
    if (kind === "choice" && !choices.includes(lower(word))) {
      throw new Wrong(_("'{word}' is none of {choices}.", { word, choices: choices.join(", ") }));
    }
    if (kind === "choice") return lower(word);
    if (kind !== "room" && kind !== "user") return word;
    const bare = word.match(/^<(.*)>$/)?.[1] ?? word.replace(kind === "room" ? /^#/ : /^@/, "");
    return (kind === "user" ? bare.replace(/:$/, "") : bare).normalize("NFC");
  }

  /**
   * What may stand at the cursor: by itself after `#`, `/`, `@` and `:`, and if it was `requested`.
   *
   * @param {string} before what is typed up to the cursor
   * @param {{rooms: () => Iterable<string>, people: () => Iterable<string>, speakers: () => Iterable<string>,
   *   talks: (letters: string) => Iterable<[string, string]>, emoji: (letters: string) => Iterable<[string, string]>}} known
   *   what there is, likelier ones first; `people` without oneself; `talks` as typed and as shown; `emoji` short-code and sign
   * @returns {{text: string, replaces: number, shown: string, about: string}[]} each for the last `replaces` characters
   */
  proposals(before, known, requested = false) {
    const text = before.trimStart();
    if (!text || !"#/".includes(text[0]) || text[1] === text[0]) {
      const word = before.split(/\s/).at(-1);
      return this.#inText(word, known, before.trim() === word, requested);
    }
    const [spec, rest] = this.#split(text) ?? [];
    if (spec && (text.endsWith(" ") || rest || text.includes("<"))) return this.#argument(spec, rest, known);
    return this.specs.flatMap((each) => {
      const name = [each.name, ...each.aliases].find((one) => lower(one).startsWith(lower(text)));
      return name ? [proposal(name + (each.args.length ? " " : ""), text, each.usage, each.help)] : [];
    });
  }

  #inText(word, known, first = false, requested = false) {
    if (word.startsWith(":")) return emoji(word, known);
    if (word.startsWith("#")) return beginning(known.rooms(), word.slice(1)).map((room) => proposal(`#${room}`, word, `#${room}`));
    const sign = word.startsWith("@") ? "@" : "";
    if (!sign && !(requested && word)) return [];
    const tail = first && !sign ? ": " : " ";
    return beginning(known.people(), word.slice(sign.length)).map((login) => proposal(sign + login + tail, word, login));
  }

  #argument(spec, rest, known) {
    const words = rest.split(" ").filter(Boolean);
    const word = !rest || rest.endsWith(" ") ? "" : words.pop();
    const before = words.filter((each) => !each.startsWith("--"));
    const found = [];
    if (word.startsWith("-") || !word) {
      for (const [flag, what] of Object.entries(spec.flags)) {
        if (flag.startsWith(word) && !rest.split(" ").slice(0, -1).includes(flag)) found.push(proposal(`${flag} `, word, flag, what));
      }
    }
    let { args } = spec;
    if (args[0]?.kind === "message" && args[0].optional && !(before[0] ?? word).startsWith("^")) args = args.slice(1);
    if (args.at(-1)?.kind === "text" && before.length >= args.length - 1) return [...found, ...this.#inText(word, known)];
    if (before.length >= args.length) return found;
    if (!word.startsWith("<")) return [...found, ...this.#ofKind(args[before.length], word, known)];
    return [...found, ...beginning(known.people(), word.slice(1)).map((login) => proposal(`${login}> `, word.slice(1), login))];
  }

  #ofKind({ kind, choices }, word, known) {
    const bare = (text) => lower(text).replace(/^[#/]+/, "");
    if (kind === "user") return beginning(known.people(), word.replace(/^@/, "")).map((login) => proposal(`${login} `, word, login));
    if (kind === "room") return beginning(known.rooms(), word.replace(/^#/, "")).map((room) => proposal(room, word, `#${room}`));
    if (kind === "message") return beginning(known.speakers(), word.replace(/^\^/, "")).map((login) => proposal(`^${login} `, word, `^${login}`));
    if (kind === "emoji") return emoji(word, known);
    if (kind === "talk") return [...known.talks(word)].map(([typed, shown]) => proposal(typed, word, shown));
    if (kind === "command") return this.specs.filter(({ name }) => bare(name).startsWith(bare(word))).map(({ name, help }) => proposal(name, word, name, help));
    return choices.filter((choice) => choice.startsWith(lower(word))).map((choice) => proposal(`${choice} `, word, choice));
  }
}

const proposal = (text, word, shown, about = "") => ({ text, replaces: word.length, shown, about });

function emoji(word, known) {
  if (word.length <= 2 || word.endsWith(":")) return [];
  return [...known.emoji(word)].map(([code, sign]) => proposal(`${code} `, word, `${sign} ${code}`));
}

function beginning(names, letters) {
  const key = fold(letters);
  return [...new Set(names)].filter((name) => fold(name).startsWith(key)).slice(0, MOST);
}
