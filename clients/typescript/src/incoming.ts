/** The receiving side of a stream: what the connection feeds, and readers wait for. */

import { clientStalled, invalidMessage, requestCancelled, type SidecarError } from "./errors.js";
import type { Exchange, Receiver } from "./exchange.js";
import { Inbox } from "./inbox.js";
import type { ChatResult, Delta, JsonObject, StreamStatus } from "./protocol.js";
import { Delta as checkDelta, StreamStatus as checkStatus, RESULTS } from "./shapes.js";

/** What a stream waits for; the latest counts until the next delta. */
export interface StatusEvent extends StreamStatus {
  type: "status";
}

/** What a stream is iterated over. */
export type StreamEvent = Delta | StatusEvent;

/** What is told when a stream has a result, before anyone else knows. */
export type Kept = (result: ChatResult) => void;

/** A stream, from its request to its end. */
export class Incoming implements Receiver {
  readonly id: string;
  readonly #maxUnread: number;
  readonly #keep: Kept | undefined;
  readonly #inbox = new Inbox<StreamEvent>();
  readonly #result: Promise<ChatResult>;
  #fulfil!: (result: ChatResult) => void;
  #refuse!: (error: SidecarError) => void;
  #exchange: Exchange | undefined;
  #chunks = 0;
  #open = true;
  #reader: "nobody yet" | "iterates" | "wants the result alone" = "nobody yet";

  constructor(id: string, maxUnread: number, keep?: Kept) {
    this.id = id;
    this.#maxUnread = maxUnread;
    this.#keep = keep;
    this.#result = new Promise((resolve, reject) => {
      this.#fulfil = resolve;
      this.#refuse = reject;
    });
    this.#result.catch(() => undefined);
  }

  /** Whether neither result nor error are known yet. */
  get open(): boolean {
    return this.#open;
  }

  /** Takes note of the request that asks for the stream. */
  begun(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  /** Takes the params of a `stream.chunk`. */
  chunk(params: JsonObject): void {
    if (!this.#open) return;
    const { seq, delta } = params;
    const wrong = checkDelta(delta);
    if (wrong !== undefined) this.#abandon(invalidMessage(`A delta of the stream is not valid at \`delta${wrong}\`.`));
    else if (seq !== this.#chunks) this.#abandon(invalidMessage(`Chunk ${this.#chunks} was next, and not ${seq}.`));
    else {
      this.#chunks += 1;
      this.#add(delta as Delta);
    }
  }

  /** Takes the params of a `stream.status`; what cannot be read of it is nobody's loss. */
  status(params: JsonObject): void {
    if (this.#open && checkStatus(params) === undefined) {
      this.#add({ type: "status", ...(params as unknown as StreamStatus) });
    }
  }

  resolve(result: JsonObject): void {
    if (!this.#open) return;
    const wrong = RESULTS["chat.stream"](result);
    const { chunks } = result;
    if (wrong !== undefined) this.reject(invalidMessage(`The stream's result is not valid at \`result${wrong}\`.`));
    else if (chunks !== this.#chunks) this.reject(invalidMessage(`${this.#chunks} chunks came, and not ${chunks}.`));
    else this.#finish(result as unknown as ChatResult);
  }

  reject(error: SidecarError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#refuse(error);
    this.#inbox.end(error);
  }

  cancel(): void {
    if (this.#exchange === undefined) this.reject(requestCancelled("The stream was cancelled before it began."));
    else this.#exchange.cancel();
  }

  awaitResult(): Promise<ChatResult> {
    if (this.#reader === "nobody yet") this.#reader = "wants the result alone";
    return this.#result;
  }

  read<Item>(select: (event: StreamEvent) => Item | undefined): AsyncIterableIterator<Item, undefined> {
    this.#reader = "iterates";
    return new Reader(this.#inbox, select, () => this.#leave());
  }

  #add(event: StreamEvent): void {
    if (this.#reader === "wants the result alone") return this.#inbox.clear();
    this.#inbox.push(event);
    if (this.#inbox.unread > this.#maxUnread) this.#abandon(clientStalled(this.#maxUnread));
  }

  #finish(result: ChatResult): void {
    this.#open = false;
    this.#keep?.(result);
    this.#fulfil(result);
    this.#inbox.end();
  }

  #leave(): void {
    this.#reader = "wants the result alone";
    this.#inbox.clear();
    if (this.#open) this.cancel();
  }

  /** Fails, and has the sidecar end what is left of the stream. */
  #abandon(error: SidecarError): void {
    this.reject(error);
    this.#exchange?.cancel();
  }
}

/** Iterates over what it selects of the events. */
class Reader<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #inbox: Inbox<StreamEvent>;
  readonly #select: (event: StreamEvent) => Item | undefined;
  readonly #leave: () => void;
  #left = false;

  constructor(inbox: Inbox<StreamEvent>, select: (event: StreamEvent) => Item | undefined, leave: () => void) {
    this.#inbox = inbox;
    this.#select = select;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    return this.#left ? Promise.resolve({ value: undefined, done: true }) : this.#inbox.next(this.#select);
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    if (!this.#left) this.#leave();
    this.#left = true;
    return Promise.resolve({ value: undefined, done: true });
  }
}
