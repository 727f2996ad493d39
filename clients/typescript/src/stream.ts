/** A streamed answer. */

import type { Incoming, StreamEvent } from "./incoming.js";
import type { ChatResult } from "./protocol.js";

/** An answer while it comes: its events, and the one result or error that it ends with. */
export class ChatStream implements AsyncIterable<StreamEvent, undefined> {
  /** The stream's id, as the sidecar knows it. */
  readonly id: string;
  readonly #incoming: Incoming;

  /** @internal */
  constructor(incoming: Incoming) {
    this.id = incoming.id;
    this.#incoming = incoming;
  }

  /** Iterates over the deltas and statuses, once. Leaving before the end cancels the stream. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StreamEvent, undefined> {
    return this.#incoming.read((event) => event);
  }

  /** Iterates over the pieces of text alone. Leaving before the end cancels the stream. */
  texts(): AsyncIterableIterator<string, undefined> {
    return this.#incoming.read((event) => (event.type === "text" ? event.text : undefined));
  }

  /** Returns the result, or fails with the error. Where nothing is iterated, events are thrown away as they come. */
  result(): Promise<ChatResult> {
    return this.#incoming.awaitResult();
  }

  /** Ends the answer early: the result then has the finish reason `cancelled`, and the message as far as it came. */
  cancel(): void {
    this.#incoming.cancel();
  }
}
