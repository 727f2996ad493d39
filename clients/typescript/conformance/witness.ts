/** Reads along with a session, and holds every message against the schema and the guarantees of the protocol. */

import assert from "node:assert/strict";
import { decode, isObject, type JsonObject } from "./json.js";
import { METHODS, NOTIFICATIONS, Validators } from "./schema.js";
import { Pieces } from "./pieces.js";

const LINE_FEED = 0x0a;
const DEFAULT_MAX_CHUNK_BYTES = 32 * 1024;
/** What stands for params that were left out. */
const LEFT_OUT = ["null", "[]", "[null]"];
const BYTE_ORDER_MARK = "\ufeff";

const validators = new Validators("as written");

/** Knows what was sent and received; `seen` names the methods, notifications and error types. */
export class Witness {
  readonly seen = new Set<string>();
  readonly #calls = new Map<string, JsonObject[]>();
  readonly #streams = new Map<string, Pieces>();
  #written: Buffer = Buffer.alloc(0);
  #maxChunkBytes = DEFAULT_MAX_CHUNK_BYTES;
  #unidentified = false;
  #unreadable = 0;

  /** Takes note of bytes that go to the sidecar. */
  sent(bytes: Buffer): void {
    this.#written = Buffer.concat([this.#written, bytes]);
    for (let end = this.#written.indexOf(LINE_FEED); end !== -1; end = this.#written.indexOf(LINE_FEED)) {
      this.#sentLine(this.#written.subarray(0, end).toString());
      this.#written = this.#written.subarray(end + 1);
    }
  }

  /** Takes note that nothing more will be sent. */
  ended(): void {
    if (this.#written.length > 0) this.sent(Buffer.from([LINE_FEED]));
  }

  /** Returns the message of a line, which must obey the protocol. */
  received(line: Buffer): unknown {
    assert(line.every((byte) => byte >= 0x20 && byte <= 0x7e), `not printable ASCII: ${line.toString().slice(0, 200)}`);
    const message = decode(line.toString());
    for (const one of (Array.isArray(message) ? message : [message]) as JsonObject[]) {
      assert.equal(one["jsonrpc"], "2.0");
      if ("method" in one) this.#notified(String(one["method"]), one["params"] as JsonObject, line.length + 1);
      else this.#answered(one);
    }
    return message;
  }

  /** Requires that nothing is left without a reply. */
  allAnswered(): void {
    assert(this.#unidentified || this.#calls.size === 0, `never answered: ${[...this.#calls.keys()].join(", ")}`);
  }

  #sentLine(line: string): void {
    const text = line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    try {
      const message = text.trim() === "" ? [] : decode(text);
      for (const one of Array.isArray(message) ? message : [message]) if (isObject(one)) this.#called(one);
    } catch {
      this.#unreadable += 1;
    }
  }

  #called(message: JsonObject): void {
    const { id, method } = message;
    this.seen.add(`method:${method}`).add(`notification:${method}`);
    const isReply = method === undefined && ("result" in message || "error" in message);
    if ((typeof id !== "string" && !Number.isInteger(id)) || isReply) return;
    this.#calls.set(key(id), [...(this.#calls.get(key(id)) ?? []), message]);
  }

  #notified(method: string, params: JsonObject, size: number): void {
    this.seen.add(`notification:${method}`);
    valid(NOTIFICATIONS.get(method), params);
    const subject = method === "task.progress" ? "task_id" : "stream_id";
    const id = String(params[subject]);
    const open = [...this.#calls.values()].flat();
    assert(open.some((call) => subjectId(call, subject) === id), `${method} for ${id}, which is not open`);
    if (method !== "stream.chunk") return;
    const delta = params["delta"] as JsonObject;
    assert(delta["type"] === "part" || size <= this.#maxChunkBytes, `a chunk of ${size} bytes`);
    const pieces = this.#streams.get(id) ?? new Pieces();
    this.#streams.set(id, pieces);
    pieces.add(params["seq"], delta);
  }

  #answered(reply: JsonObject): void {
    valid("error" in reply ? "ErrorReply" : "Reply", reply);
    const data = isObject(reply["error"]) ? (reply["error"]["data"] as JsonObject) : undefined;
    if (data !== undefined) this.seen.add(`error:${data["type"]}`);
    if (reply["id"] === null) this.#unidentified = true;
    const call = reply["id"] === null ? undefined : this.#settle(reply, data);
    if (call === undefined) return;
    if (isObject(reply["result"])) this.#succeeded(call, reply["result"]);
    if (call["method"] === "chat.stream") this.#ended(subjectId(call, "stream_id"), data ?? (reply["result"] as JsonObject));
  }

  /** Forgets the call that a reply belongs to; the last one, where the id was taken already. */
  #settle(reply: JsonObject, error: JsonObject | undefined): JsonObject | undefined {
    const calls = this.#calls.get(key(reply["id"]));
    if (calls === undefined && error !== undefined && this.#unreadable > 0) {
      this.#unreadable -= 1;
      return undefined;
    }
    assert(calls !== undefined, `a reply to nobody, or a second one: ${JSON.stringify(reply).slice(0, 500)}`);
    const call = error?.["type"] === "duplicate_id" ? calls.pop() : calls.shift();
    if (calls.length === 0) this.#calls.delete(key(reply["id"]));
    return call;
  }

  #succeeded(call: JsonObject, result: JsonObject): void {
    const method = METHODS.get(String(call["method"]));
    const left = LEFT_OUT.includes(JSON.stringify(call["params"] ?? null));
    valid(method?.params, left ? {} : call["params"]);
    valid(method?.result, result);
    const limits = result["limits"];
    if (isObject(limits)) this.#maxChunkBytes = Number(limits["max_chunk_bytes"]);
  }

  #ended(id: string | undefined, end: JsonObject): void {
    if (id === undefined || typeof end["chunks"] !== "number") return;
    const pieces = this.#streams.get(id) ?? new Pieces();
    this.#streams.delete(id);
    assert.equal(end["chunks"], pieces.count, "the number of chunks");
    const message = end["message"] ?? end["partial"];
    if (isObject(message)) pieces.mustBe(message["content"] as JsonObject[]);
  }
}

function valid(definition: string | undefined, value: unknown): void {
  assert(definition !== undefined, "no such method or notification");
  const wrong = validators.wrong(definition, value);
  assert(wrong === undefined, wrong);
}

function key(id: unknown): string {
  return JSON.stringify(id);
}

const OPENERS = { stream_id: ["chat.stream"], task_id: ["models.load", "models.download"] };

/** The id of what a call opens, a stream or a task, as the caller chose it or by default. */
function subjectId(call: JsonObject, name: keyof typeof OPENERS): string | undefined {
  const params = call["params"];
  if (!OPENERS[name].includes(String(call["method"])) || !isObject(params)) return undefined;
  return (params[name] as string | null | undefined) || String(call["id"]);
}
