/* Installing: the service worker, the offer of a new version, and the way to the home screen.
 *
 * Must not know the broker or what is shown besides; who draws the page says how a version is offered and how a
 * conversation is opened.
 */

/**
 * What may be offered here. "installed": it runs from the home screen. "ready": `install()` shows the browser's own
 * question. "ios": only by hand, "Share ▸ Add to Home Screen". "refused": the person said no, or later. "none": this
 * browser cannot, or has not made up its mind yet.
 * @typedef {"installed"|"ready"|"ios"|"refused"|"none"} InstallState
 */

/** Emits "change" whenever `installState()` has a new answer. */
export const installing = new EventTarget();

/**
 * Register the service worker, once the first screen is there. Call it once.
 * @param {object} page
 * @param {(reload: () => void) => void} page.offer  a new version is ready: show it, with a button that calls `reload`
 * @param {() => boolean} page.busy  whether something is typed that a reload would disturb
 * @param {(talk: string, seq?: number) => void} page.open  show a conversation: somebody tapped its notice
 * @returns {Promise<ServiceWorkerRegistration|null>}  null where there are none (no TLS, private windows)
 */
export async function begin({ offer, busy, open }) {}

/** @returns {InstallState} */
export function installState() {}

/** Ask the browser to install; only from within a click. @returns {Promise<boolean>} whether the person agreed */
export async function install() {}

/** The person does not want to be asked; remembered on this device. */
export function notNow() {}

/** What to offer, ready to be put on the page: text and buttons; null if there is nothing. @returns {HTMLElement|null} */
export function installCard() {}
