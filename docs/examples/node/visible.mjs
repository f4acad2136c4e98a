// How a terminal is shown what others wrote. PROTOCOL.md, section 13.

/** What others wrote, without anything that a terminal would obey. */
export function visible(text) {
  return text
    .replaceAll("\t", "    ")
    .replace(/[\u0000-\u001f]/g, (control) => String.fromCodePoint(0x2400 + control.charCodeAt(0)))
    .replaceAll("\u007f", "\u2421")
    .replace(/[\u0080-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
