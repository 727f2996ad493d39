/** What a probe writes of what it saw. */

import { type ChatResult, type JsonObject, type Message, SidecarError, type StreamEvent } from "../src/index.js";
import { known } from "./known.js";

/** Longer texts are written as their length. */
const MAX_CHARACTERS = 1_000;

/** Returns the texts of a message, joined. */
export function text(message: Message): string {
  if (typeof message.content === "string") return message.content;
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

export function result(result: ChatResult): JsonObject {
  const { finish_reason, chunks, message } = result;
  return { finish_reason: finish_reason.reason, chunks, text: message ? text(message) : null };
}

export function error(error: unknown): JsonObject {
  if (!(error instanceof SidecarError)) throw error;
  const { type, category, retryable, retryAfterMs, partial } = error;
  return {
    type,
    category,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
    ...(partial === undefined ? {} : { partial: text(partial) }),
  };
}

export function event(event: StreamEvent): unknown {
  return event.type === "status" ? event : known("Delta", event);
}

/** Returns the value with long texts as their length, in characters of Unicode. */
export function shortened(value: unknown): unknown {
  if (typeof value === "string") {
    const length = value.length > MAX_CHARACTERS ? [...value].length : value.length;
    return length > MAX_CHARACTERS ? `<${length} characters>` : value;
  }
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shortened(inner)]));
}
