/** What the chunks of one stream add up to. */

import assert from "node:assert/strict";
import type { JsonObject } from "./json.js";

/** The member of a part that grows, by the type of the delta. */
const GROWING: Readonly<Record<string, string>> = {
  text: "text",
  reasoning: "text",
  refusal: "text",
  tool_call: "arguments",
};
const NAMES = ["id", "name"];

/** The parts of a message, put together from deltas. */
export class Pieces {
  readonly #parts = new Map<number, JsonObject>();
  readonly #texts = new Map<number, string[]>();
  #count = 0;

  /** How many chunks there were. */
  get count(): number {
    return this.#count;
  }

  add(seq: unknown, delta: JsonObject): void {
    assert.equal(seq, this.#count, "seq counts the chunks");
    this.#count += 1;
    const index = Number(delta["index"]);
    const member = GROWING[String(delta["type"])];
    if (delta["type"] === "part") {
      this.#parts.set(index, delta["part"] as JsonObject);
      this.#texts.delete(index);
    } else if (member !== undefined) this.#grow(index, delta, String(delta[member] ?? ""));
  }

  /** Requires that the content of a message is what the deltas add up to. */
  mustBe(content: JsonObject[]): void {
    const indices = [...this.#parts.keys()].sort((one, other) => one - other);
    assert.deepEqual(content.map(plain), indices.map((index) => plain(this.#whole(index))));
  }

  #grow(index: number, delta: JsonObject, text: string): void {
    const part = this.#parts.get(index) ?? { type: delta["type"] };
    this.#parts.set(index, part);
    assert(!/\p{Surrogate}/u.test(text), "a code point was split");
    const texts = this.#texts.get(index) ?? [];
    this.#texts.set(index, texts);
    texts.push(text);
    for (const name of NAMES.filter((name) => name in delta)) {
      assert(!(name in part), `the ${name} of a tool call came twice`);
      part[name] = delta[name];
    }
  }

  #whole(index: number): JsonObject {
    const part = this.#parts.get(index) ?? {};
    const texts = this.#texts.get(index);
    const member = GROWING[String(part["type"])];
    return texts === undefined || member === undefined ? part : { ...part, [member]: texts.join("") };
  }
}

/** Returns a part with the default that a sender may leave out. */
function plain(part: JsonObject): JsonObject {
  return part["type"] === "reasoning" ? { text: "", ...part } : part;
}
