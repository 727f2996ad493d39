/** The steps of a host in a scenario; `protocol/replay/README.md` says what they mean. */

import {
  type ChatStream,
  Conversation,
  type JsonObject,
  Sidecar,
  type SidecarOptions,
  type StreamEvent,
  type StreamRequest,
} from "../src/index.js";
import { known } from "./known.js";
import * as written from "./written.js";

/** A step of a scenario. */
export interface Step {
  readonly do: string;
  readonly as?: string;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly options?: Readonly<Record<string, number | boolean>>;
  readonly cancel_after_ms?: number;
  readonly count?: number;
  readonly contains?: string;
  readonly content?: string;
}

const SHORT_MESSAGE: StreamRequest = { messages: [{ role: "user", content: "Hi" }] };
const FOREVER_MS = 2 ** 31 - 1;

/** The host: its client, and what it has begun. */
export class Host {
  readonly #command: string;
  readonly #args: string[];
  readonly #log: string[] = [];
  readonly #calls = new Map<string, Promise<JsonObject>>();
  readonly #streams = new Map<string, ChatStream>();
  readonly #iterators = new Map<string, AsyncIterableIterator<StreamEvent, undefined>>();
  #logged: () => void = () => undefined;
  #sidecar: Sidecar | undefined;
  #conversation: Conversation | undefined;

  constructor(command: string, args: string[]) {
    this.#command = command;
    this.#args = args;
  }

  /** Takes a step, and returns what it saw. */
  async take(step: Step): Promise<JsonObject> {
    const verb = this.#verbs[step.do];
    if (verb === undefined) throw new Error(`There is no step "${step.do}".`);
    return await verb(step);
  }

  async close(): Promise<JsonObject> {
    await this.#sidecar?.close();
    return { closed: true };
  }

  readonly #verbs: Readonly<Record<string, (step: Step) => Promise<JsonObject>>> = {
    start: ({ options }) => orError(this.#start(options ?? {}).then(() => ({ started: true }))),
    call: (step) => orError(this.#call(step).then((result) => ({ result }))),
    typed: ({ method = "" }) => orError(this.#typed(method).then((result) => ({ result }))),
    begin: (step) => this.#begin(step),
    end: ({ as = "" }) => orError((this.#calls.get(as) ?? missing(as)).then((result) => ({ result }))),
    stream: (step) => this.#stream(step),
    read: (step) => (step.count === undefined ? this.#readAll(step) : this.#readSome(step)),
    texts: ({ as = "" }) => this.#texts(this.#streamOf(as)),
    result: ({ as = "" }) => resultOf(this.#streamOf(as)),
    cancel: ({ as = "" }) => this.#cancel(as),
    leave: (step) => this.#leave(step),
    log: ({ contains = "" }) => this.#awaitLog(contains),
    converse: ({ content = "" }) => resultOf(this.#talk.send(content)),
    messages: () => Promise.resolve({ messages: this.#talk.messages }),
    pid: () => Promise.resolve({ pid: this.#client.pid }),
    wait: () => new Promise(() => setInterval(() => undefined, FOREVER_MS)),
    close: () => this.close(),
  };

  get #client(): Sidecar {
    return this.#sidecar ?? missing("sidecar");
  }

  get #talk(): Conversation {
    return (this.#conversation ??= new Conversation(this.#client));
  }

  #streamOf(name: string): ChatStream {
    return this.#streams.get(name) ?? missing(name);
  }

  /** One iteration of each stream, which several steps go on with. */
  #iterator(name: string): AsyncIterableIterator<StreamEvent, undefined> {
    const iterator = this.#iterators.get(name) ?? this.#streamOf(name)[Symbol.asyncIterator]();
    this.#iterators.set(name, iterator);
    return iterator;
  }

  async #start(options: Readonly<Record<string, number | boolean>>): Promise<void> {
    const chosen = Object.entries(options).map(([name, value]) => [camel(name), value]);
    const onLog = (line: string): void => {
      this.#log.push(line);
      this.#logged();
    };
    this.#sidecar = await Sidecar.start({
      ...(Object.fromEntries(chosen) as SidecarOptions),
      command: this.#command,
      args: this.#args,
      clientInfo: { name: "probe" },
      onLog,
    });
  }

  async #call({ method = "", params, cancel_after_ms: ms }: Step): Promise<JsonObject> {
    if (ms === undefined) return this.#client.request(method, params);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ms);
    return this.#client.request(method, params, { signal: abort.signal }).finally(() => clearTimeout(timer));
  }

  async #typed(method: string): Promise<unknown> {
    const sidecar = this.#client;
    if (method === "server.ping") return known("Pong", await sidecar.server.ping());
    if (method === "providers.list") return known("ProviderList", await sidecar.providers.list());
    if (method === "models.list") return known("ModelList", await sidecar.models.list());
    throw new Error(`${method} is not among the typed methods of scenarios.`);
  }

  async #begin(step: Step): Promise<JsonObject> {
    const call = this.#call(step);
    call.catch(() => undefined);
    this.#calls.set(step.as ?? "", call);
    return { begun: step.as };
  }

  async #stream({ as = "", params }: Step): Promise<JsonObject> {
    const stream = this.#client.chat.stream((params as StreamRequest | undefined) ?? SHORT_MESSAGE);
    this.#streams.set(as, stream);
    return { stream_id: stream.id };
  }

  async #readSome({ as = "", count = 0 }: Step): Promise<JsonObject> {
    const iterator = this.#iterator(as);
    const events: unknown[] = [];
    while (events.length < count) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      events.push(written.event(value));
    }
    return { events };
  }

  async #readAll({ as = "" }: Step): Promise<JsonObject> {
    const events: unknown[] = [];
    try {
      for await (const event of this.#iterator(as)) events.push(written.event(event));
      return { events, result: written.result(await this.#streamOf(as).result()) };
    } catch (error) {
      return { events, error: written.error(error) };
    }
  }

  async #texts(stream: ChatStream): Promise<JsonObject> {
    let text = "";
    try {
      for await (const piece of stream.texts()) text += piece;
      return { text, result: written.result(await stream.result()) };
    } catch (error) {
      return { text, error: written.error(error) };
    }
  }

  async #cancel(name: string): Promise<JsonObject> {
    this.#streamOf(name).cancel();
    return { cancelled: name };
  }

  async #leave(step: Step): Promise<JsonObject> {
    const seen = await this.#readSome(step);
    await this.#iterator(step.as ?? "").return?.();
    return seen;
  }

  async #awaitLog(text: string): Promise<JsonObject> {
    while (!this.#log.some((line) => line.includes(text))) {
      await new Promise<void>((resolve) => (this.#logged = resolve));
    }
    return { logged: true };
  }
}

async function resultOf(stream: ChatStream): Promise<JsonObject> {
  return orError(stream.result().then((result) => ({ result: written.result(result) })));
}

async function orError(seen: Promise<JsonObject>): Promise<JsonObject> {
  return seen.catch((error: unknown) => ({ error: written.error(error) }));
}

function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function missing(name: string): never {
  throw new Error(`Nothing was begun as "${name}".`);
}
