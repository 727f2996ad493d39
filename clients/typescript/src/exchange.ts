/** A request and its reply. */

import { invalidMessage, requestCancelled, SidecarError } from "./errors.js";
import { isObject } from "./json.js";
import type { ErrorObject, JsonObject } from "./protocol.js";
import { ErrorObject as checkError } from "./shapes.js";

/** Whoever waits for a reply; told once. */
export interface Receiver {
  resolve(result: JsonObject): void;
  reject(error: SidecarError): void;
}

/** How a request is cancelled: what tells the sidecar, and how long it then has to reply. */
export interface Cancelling {
  readonly graceMs: number;
  notify(id: number): void;
}

/** One open request. Only the first end that it meets counts. */
export class Exchange {
  readonly id: number;
  readonly #method: string;
  readonly #receiver: Receiver;
  readonly #cancelling: Cancelling;
  readonly #signal: AbortSignal | undefined;
  #grace: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(id: number, method: string, receiver: Receiver, cancelling: Cancelling, signal?: AbortSignal) {
    this.id = id;
    this.#method = method;
    this.#receiver = receiver;
    this.#cancelling = cancelling;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#aborted);
  }

  /** Called when the sidecar has replied, also to a request that was given up before. */
  onReply = (): void => undefined;

  /** Takes the reply to the request. */
  answer(reply: JsonObject): void {
    this.onReply();
    const { result, error } = reply;
    if (!isObject(result) || isObject(error)) this.fail(this.#error(error));
    else if (this.#settle()) this.#receiver.resolve(result);
  }

  fail(error: SidecarError): void {
    if (this.#settle()) this.#receiver.reject(error);
  }

  /** Asks the sidecar to end the request; without a reply in time it has failed. */
  cancel(cause?: unknown): void {
    if (this.#settled || this.#grace !== undefined) return;
    const { graceMs } = this.#cancelling;
    const error = requestCancelled(`${this.#method} was cancelled, and not answered within ${graceMs} ms.`, cause);
    this.#grace = setTimeout(() => this.fail(error), graceMs);
    this.#cancelling.notify(this.id);
  }

  readonly #aborted = (): void => this.cancel(this.#signal?.reason);

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#grace);
    this.#signal?.removeEventListener("abort", this.#aborted);
    return true;
  }

  #error(error: unknown): SidecarError {
    if (checkError(error) === undefined) return new SidecarError(error as ErrorObject);
    return invalidMessage(`The reply to ${this.#method} is neither a result nor an error.`);
  }
}
