/* Notices while no page is open: asking the person, the browser, and telling the gateway.
 *
 * Must not know what is told nor when: that is the gateway's matter (`client/web/push/`), and showing it is `sw.js`'s.
 */

/**
 * "on", "off"; "blocked": the person or the system forbade it in the browser's settings; "install-first": on iOS only
 * from the home screen; "impossible": this browser cannot, or the gateway sends none.
 * @typedef {"on"|"off"|"blocked"|"install-first"|"impossible"} PushState
 */

/** How it stands on this device. @param {import("./core/chat.js").Chat} chat @returns {Promise<PushState>} */
export async function pushState(chat) {}

/** Ask for permission and subscribe; only from within a click. @returns {Promise<PushState>} Rejects as `request` does. */
export async function pushOn(chat) {}

/** End it on this device. Call it before logging out, too. @returns {Promise<PushState>} */
export async function pushOff(chat) {}

/** At each login and start: tell the gateway again of what is subscribed, for either may have lost it. */
export async function pushAgain(chat) {}

/** Take away the notice of a conversation that is now looked at. @param {string} talk */
export async function looked(talk) {}

/** A row for the settings: what it is, how it stands, and a button. Keeps itself up to date. @returns {HTMLElement} */
export function pushRow(chat) {}
