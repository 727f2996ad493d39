/** Keeps a session open: starts a sidecar anew when one has ended by itself. */

import { setTimeout } from "node:timers/promises";
import { Backoff } from "./backoff.js";
import { Configurations } from "./configurations.js";
import { Connection } from "./connection.js";
import { CLOSED, connectionClosed } from "./errors.js";
import type { Settings } from "./options.js";
import type { JsonObject } from "./protocol.js";

/** The one session of a client, in one process after another. */
export class Supervisor {
  readonly #settings: Settings;
  readonly #backoff = new Backoff();
  readonly #configurations = new Configurations();
  readonly #stop = new AbortController();
  #connection: Connection;
  #starting: Promise<Connection> | undefined;
  #closed: Promise<void> | undefined;
  #calls = 0;

  private constructor(settings: Settings, connection: Connection) {
    this.#settings = settings;
    this.#connection = connection;
    this.#watch(connection);
  }

  /** Starts the first process; that must succeed. */
  static async start(settings: Settings): Promise<Supervisor> {
    return new Supervisor(settings, await Connection.open(settings));
  }

  /** The session that is open, or was last. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Returns an open session: at once where there is one, which keeps calls in their order. */
  open(): Connection | Promise<Connection> {
    if (this.#closed !== undefined) throw connectionClosed(CLOSED);
    if (!this.#connection.ended) return this.#connection;
    if (!this.#settings.restart) throw connectionClosed("The sidecar has gone.");
    this.#starting ??= this.#restart().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Sends a request in the open session, and remembers what it configured. */
  async request(connection: Connection, method: string, params: object, signal?: AbortSignal): Promise<JsonObject> {
    const order = (this.#calls += 1);
    const result = await connection.request(method, params, signal);
    this.#configurations.succeeded(order, method, params, result);
    return result;
  }

  /** Ends the session for good. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    await this.#starting?.catch(() => undefined);
    await this.#connection.close();
  }

  async #restart(): Promise<Connection> {
    const pause = this.#backoff.pause(performance.now());
    if (pause === undefined) throw connectionClosed("The sidecar ended too often to be started again now.");
    await this.#rest(pause);
    const connection = await this.#reopen();
    this.#connection = connection;
    this.#watch(connection);
    for (const { method, params } of this.#configurations.repeats()) this.#repeat(connection, method, params);
    return connection;
  }

  async #reopen(): Promise<Connection> {
    try {
      return await Connection.open(this.#settings, this.#stop.signal);
    } catch (error) {
      this.#backoff.failed(performance.now());
      throw error;
    }
  }

  async #rest(ms: number): Promise<void> {
    const rest = ms > 0 ? setTimeout(ms, undefined, { signal: this.#stop.signal }) : Promise.resolve();
    await rest.catch(() => {
      throw connectionClosed(CLOSED);
    });
  }

  /** Takes note of the end; one that was asked for is not followed by a start. */
  #watch(connection: Connection): void {
    const handshake = performance.now();
    connection.onEnd(() => this.#backoff.ended(performance.now(), handshake));
  }

  #repeat(connection: Connection, method: string, params: JsonObject): void {
    connection.request(method, params).catch((error: Error) => {
      this.#settings.log(`${method} could not be made again: ${error.message}`);
    });
  }
}
