/**
 * One conversation: its header, messages, who writes, and where one writes. Puts together the parts of this folder.
 * Must not know the list of conversations, nor how the app came here.
 *
 * @typedef {object} Shell What a conversation asks of what is around it (view/shell.js).
 * @property {(key: string, options?: {seq?: number}) => void} show turn to a conversation, at a message
 * @property {() => void} back leave it for the list (narrow screens)
 * @property {(text: string, options?: {error?: boolean}) => void} toast say something for a moment
 * @property {(question: {title: string, text?: string, ok: string, danger?: boolean}) => Promise<boolean>} confirm
 * @property {(title: string, content: Node, options?: {onclose?: () => void}) => {close: () => void}} panel
 *   lay something over the conversation, or beside it where there is room, until it is put away (Esc, back)
 * @property {(view: string) => void} open another view: "settings", "rooms", "people", "keys"…
 */

/**
 * Show the conversation `key` in `element`.
 * @param {HTMLElement} element emptied first
 * @param {import("../core/chat.js").Chat} chat
 * @param {string} key
 * @param {Shell} shell
 * @returns {{goTo: (seq: number) => Promise<void>, focus: () => void, destroy: () => void}}
 */
export function mountTalk(element, chat, key, shell) {
}
