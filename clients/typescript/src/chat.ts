/** The methods `chat.*`, and the streams among them. */

import { Incoming, type Kept } from "./incoming.js";
import { type Call, type CallOptions, ChatMethods } from "./methods.js";
import type { StreamRequest } from "./protocol.js";
import { ChatStream } from "./stream.js";

/** Begins a stream: sends its request, and has its events and its end told. */
export type Begin = (incoming: Incoming, request: StreamRequest, signal: AbortSignal | undefined) => void;

/** The methods `chat.*`. */
export class Chat extends ChatMethods {
  readonly #begin: Begin;
  readonly #maxUnread: number;
  #streams = 0;

  /** @internal */
  constructor(call: Call, begin: Begin, maxUnread: number) {
    super(call);
    this.#begin = begin;
    this.#maxUnread = maxUnread;
  }

  /**
   * Answers one question piece by piece. The stream is there at once; its signal ends it as its `cancel` does.
   */
  stream(request: StreamRequest, options?: CallOptions): ChatStream {
    return this.open(request, options);
  }

  /** @internal Answers as `stream` does; `keep` is given the result before anyone else. */
  open(request: StreamRequest, options?: CallOptions, keep?: Kept): ChatStream {
    const id = request.stream_id ?? `s${(this.#streams += 1)}`;
    const incoming = new Incoming(id, this.#maxUnread, keep);
    this.#begin(incoming, { ...request, stream_id: id }, options?.signal);
    return new ChatStream(incoming);
  }
}
