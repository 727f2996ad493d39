/**
 * Language models for apps in Node.js and Electron: a client that starts the sidecar, speaks with it, and sees it off.
 *
 * @packageDocumentation
 */

export type { Chat } from "./chat.js";
export { Conversation, type TurnOptions } from "./conversation.js";
export { SidecarError } from "./errors.js";
export type { StatusEvent, StreamEvent } from "./incoming.js";
export * from "./methods.js";
export type { SidecarOptions } from "./options.js";
export type * from "./protocol.js";
export { PROTOCOL_VERSION } from "./protocol.js";
export { Sidecar } from "./sidecar.js";
export type { ChatStream } from "./stream.js";
