/** A session with one sidecar process, in JSON-RPC 2.0. */

import { CLOSED, connectionClosed, type SidecarError, unsupportedVersion } from "./errors.js";
import { Exchange, type Receiver } from "./exchange.js";
import type { Incoming } from "./incoming.js";
import { isObject, parse } from "./json.js";
import type { Settings } from "./options.js";
import { SidecarProcess } from "./process.js";
import { type InitializeResult, type JsonObject, PROTOCOL_VERSION } from "./protocol.js";
import { checked } from "./results.js";
import { unlessAborted } from "./timing.js";

/** Only the beginning of a line that makes no sense goes to the log. */
const SHOWN_CHARACTERS = 200;
const GONE = "The sidecar has gone; its log may say why.";

/** An open session; when it has ended, it stays so. */
export class Connection {
  readonly #settings: Settings;
  readonly #exchanges = new Map<unknown, Exchange>();
  /** Those with the same id, which only the first of them has: the others wait, or are about to be refused. */
  readonly #streams = new Map<unknown, Incoming[]>();
  #process: SidecarProcess | undefined;
  #info: InitializeResult | undefined;
  #lastId = 0;
  #ended = false;
  #onEnd = (): void => undefined;

  private constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Starts a sidecar and shakes hands with it; where that fails, or the signal says so, no process is left. */
  static async open(settings: Settings, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(settings);
    connection.#process = await SidecarProcess.spawn(settings, {
      line: (line) => connection.#receive(line),
      end: () => connection.#end(connectionClosed(GONE)),
    });
    try {
      connection.#info = await connection.#initialize(signal);
    } catch (error) {
      await connection.#process.kill();
      throw error;
    }
    return connection;
  }

  /** Whether nothing can be asked any more. */
  get ended(): boolean {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What the sidecar has said of itself. */
  get info(): InitializeResult | undefined {
    return this.#info;
  }

  /** Calls back when the session ends. */
  onEnd(callback: () => void): void {
    this.#onEnd = callback;
    if (this.#ended) callback();
  }

  /** Sends a request, and returns the result as it came. */
  request(method: string, params: object, signal?: AbortSignal): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      this.#begin(method, params, { resolve, reject }, signal);
    });
  }

  /** Asks for a stream, which from then on gets what belongs to it. */
  stream(incoming: Incoming, params: object, signal?: AbortSignal): void {
    const exchange = this.#begin("chat.stream", params, incoming, signal);
    incoming.begun(exchange);
    exchange.onReply = () => this.#forget(incoming);
    this.#streams.set(incoming.id, [...(this.#streams.get(incoming.id) ?? []), incoming]);
  }

  /** Ends the session in order; what is open is answered first. */
  async close(): Promise<void> {
    if (!this.#ended) this.#begin("shutdown", {}, NOBODY);
    await this.#process?.stop(this.#settings.stopGraceMs);
  }

  async #initialize(signal?: AbortSignal): Promise<InitializeResult> {
    const { clientInfo, startTimeoutMs } = this.#settings;
    const late = connectionClosed(`The sidecar did not answer within ${startTimeoutMs} ms.`);
    const params = { protocol_version: PROTOCOL_VERSION, client_info: clientInfo, process_id: process.pid };
    const reply = unlessAborted(this.request("initialize", params), signal, () => connectionClosed(CLOSED));
    const timer = setTimeout(() => this.#end(late), startTimeoutMs);
    const info = checked("initialize", await reply.finally(() => clearTimeout(timer)));
    if (info.protocol_version === PROTOCOL_VERSION) return info;
    throw unsupportedVersion(`The sidecar speaks version ${info.protocol_version}, and not ${PROTOCOL_VERSION}.`);
  }

  #begin(method: string, params: object, receiver: Receiver, signal?: AbortSignal): Exchange {
    const id = (this.#lastId += 1);
    const line = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const cancelling = { graceMs: this.#settings.cancelGraceMs, notify: this.#cancelRequest };
    const exchange = new Exchange(id, method, receiver, cancelling, signal);
    if (this.#ended) {
      exchange.fail(connectionClosed(GONE));
    } else {
      this.#exchanges.set(id, exchange);
      this.#process?.write(line);
      if (signal?.aborted === true) exchange.cancel(signal.reason);
    }
    return exchange;
  }

  readonly #cancelRequest = (id: number): void => {
    this.#process?.write(JSON.stringify({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } }));
  };

  #receive(line: Buffer): void {
    if (line.length === 0) return;
    const text = line.toString();
    const message = parse(text);
    if (!isObject(message)) this.#settings.log(`Not a message: ${text.slice(0, SHOWN_CHARACTERS)}`);
    else if (typeof message["method"] === "string") this.#notified(message["method"], message["params"]);
    else this.#answered(message);
  }

  #notified(method: string, params: unknown): void {
    if (!isObject(params)) return;
    const incoming = this.#streams.get(params["stream_id"])?.[0];
    if (method === "stream.chunk") incoming?.chunk(params);
    else if (method === "stream.status") incoming?.status(params);
  }

  #answered(reply: JsonObject): void {
    const { id, error } = reply;
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    exchange?.answer(reply);
    if (id === null && isObject(error)) this.#settings.log(`The sidecar could not read a message: ${error["message"]}`);
  }

  #forget(incoming: Incoming): void {
    const others = (this.#streams.get(incoming.id) ?? []).filter((other) => other !== incoming);
    if (others.length > 0) this.#streams.set(incoming.id, others);
    else this.#streams.delete(incoming.id);
  }

  #end(error: SidecarError): void {
    if (this.#ended) return;
    this.#ended = true;
    const open = [...this.#exchanges.values()];
    this.#exchanges.clear();
    this.#streams.clear();
    for (const exchange of open) exchange.fail(error);
    this.#onEnd();
  }
}

/** Nobody looks at the reply. */
const NOBODY: Receiver = { resolve: () => undefined, reject: () => undefined };
