/**
 * Runs before all else, as soon as it is there: opens the socket of who was logged in here, while the rest of the app is on
 * its way; on a slow line that is a turn sooner. Must not know what is said on it.
 */
import { preferred } from "./view/device.js";
import { clock, lang, number, speak } from "./view/language.js";

/** Settled when the strings are there. */
export const spoken = speak();

/** A new socket to the gateway, whose sentences are in the language that is spoken. */
export const dial = () => new WebSocket(`${location.origin.replace("http", "ws")}/ws?lang=${lang}`, "tertulia.1");

const first = isSecureContext && preferred("login") ? dial() : null;
// The first time of day and the first great number load what the browser knows of such, which takes a while; here nobody
// waits for it.
if (first) {
  clock(0);
  number(1e6);
}
let taken = false;

/** The same; the first time the one that was opened at once, unless that was in vain. */
export function connect() {
  const socket = taken || first?.readyState > WebSocket.OPEN ? null : first;
  taken = true;
  return socket ?? dial();
}
