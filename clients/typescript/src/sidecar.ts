/** The client: a sidecar process, and what can be asked of it. */

import { Chat } from "./chat.js";
import { Connection } from "./connection.js";
import { requestCancelled, type SidecarError } from "./errors.js";
import type { Incoming } from "./incoming.js";
import {
  type Call,
  type CallOptions,
  CredentialsMethods,
  EmbeddingsMethods,
  ModelsMethods,
  ProvidersMethods,
  RpcMethods,
  ServerMethods,
} from "./methods.js";
import { settings, type SidecarOptions } from "./options.js";
import type { InitializeResult, JsonObject, StreamRequest } from "./protocol.js";
import { checked } from "./results.js";
import { Supervisor } from "./supervisor.js";
import { unlessAborted } from "./timing.js";

/** A running sidecar. Close it when it is no longer needed; until then it keeps the process of its host alive. */
export class Sidecar implements AsyncDisposable {
  readonly chat: Chat;
  readonly credentials: CredentialsMethods;
  readonly embeddings: EmbeddingsMethods;
  readonly models: ModelsMethods;
  readonly providers: ProvidersMethods;
  readonly rpc: RpcMethods;
  readonly server: ServerMethods;
  readonly #supervisor: Supervisor;

  private constructor(supervisor: Supervisor, maxUnread: number) {
    this.#supervisor = supervisor;
    const call: Call = async (method, params, options) => checked(method, await this.request(method, params, options));
    this.chat = new Chat(call, (...stream) => this.#begin(...stream), maxUnread);
    this.credentials = new CredentialsMethods(call);
    this.embeddings = new EmbeddingsMethods(call);
    this.models = new ModelsMethods(call);
    this.providers = new ProvidersMethods(call);
    this.rpc = new RpcMethods(call);
    this.server = new ServerMethods(call);
  }

  /**
   * Starts a sidecar.
   *
   * @throws {SidecarError} `sidecar_not_found`, `connection_closed`, `unsupported_protocol_version`.
   */
  static async start(options: SidecarOptions = {}): Promise<Sidecar> {
    const chosen = settings(options);
    return new Sidecar(await Supervisor.start(chosen), chosen.maxUnreadEvents);
  }

  /** The id of the sidecar's process; another one after a restart. */
  get pid(): number | undefined {
    return this.#supervisor.connection.pid;
  }

  /** What the sidecar has said of itself: its version, capabilities and limits. */
  get info(): InitializeResult | undefined {
    return this.#supervisor.connection.info;
  }

  /** Calls a method by its name, such as one that only a newer sidecar has, and returns the result as it came. */
  async request(method: string, params: object = {}, options: CallOptions = {}): Promise<JsonObject> {
    const { signal } = options;
    if (signal?.aborted === true) throw notSent(method, signal.reason);
    const open = this.#supervisor.open();
    const waited = open instanceof Connection ? open : await unlessAborted(open, signal, (why) => notSent(method, why));
    return this.#supervisor.request(waited, method, params, signal);
  }

  /** Ends the sidecar; what is open ends first. It may be called at any time, and twice. */
  close(): Promise<void> {
    return this.#supervisor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(incoming: Incoming, request: StreamRequest, signal: AbortSignal | undefined): void {
    const fail = (error: SidecarError): void => incoming.reject(error);
    const begin = (connection: Connection): void => {
      if (incoming.open) connection.stream(incoming, request, signal);
    };
    if (signal?.aborted === true) return fail(notSent("chat.stream", signal.reason));
    try {
      const open = this.#supervisor.open();
      if (open instanceof Connection) return begin(open);
      unlessAborted(open, signal, (why) => notSent("chat.stream", why)).then(begin).catch(fail);
    } catch (error) {
      fail(error as SidecarError);
    }
  }
}

function notSent(method: string, cause: unknown): SidecarError {
  return requestCancelled(`${method} was cancelled before it was sent.`, cause);
}
