import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../conformance/json.js";
import { expand, match, matches, Mismatch } from "../conformance/patterns.js";
import { Witness } from "../conformance/witness.js";

const MATCHING: [pattern: unknown, value: unknown][] = [
  [{ a: 1 }, { a: 1, b: 2 }],
  [[{ a: 1 }, 2], [{ a: 1, b: 2 }, 2]],
  [{ a: { $any: true } }, { a: null }],
  [{ a: { $absent: true } }, { b: 1 }],
  [{ a: { $exactly: { b: 1 } } }, { a: { b: 1 } }],
  [{ $contains: "b" }, "abc"],
  [{ $contains: { a: 1 } }, [0, { a: 1, b: 2 }]],
  [{ $min: 1 }, 1],
  [{ $max: 1 }, 1],
  [{ $repeat: ["ab", 2] }, "abab"],
  [[{ $bind: "x" }, { $ref: "x" }], [[1], [1]]],
];

const DIFFERING: [pattern: unknown, value: unknown][] = [
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, [1]],
  [[1], [1, 2]],
  [1, "1"],
  [null, false],
  [{ a: { $any: true } }, {}],
  [{ a: { $absent: true } }, { a: null }],
  [{ $exactly: { b: 1 } }, { b: 1, c: 2 }],
  [{ $contains: "x" }, "abc"],
  [{ $contains: 5 }, [1, 2]],
  [{ $min: 2 }, 1],
  [{ $max: 0 }, 1],
  [{ $repeat: ["ab", 2] }, "ab"],
  [[{ $bind: "x" }, { $ref: "x" }], [1, 2]],
];

test("patterns match what they should, and nothing else", () => {
  for (const [pattern, value] of MATCHING) match(pattern, value, new Map());
  for (const pair of DIFFERING) assert.throws(() => match(...pair, new Map()), Mismatch, encode(pair));
});

test("names are bound by what matches alone", () => {
  const bound = new Map<string, unknown>();
  assert.equal(matches([{ $bind: "x" }, 2], [1, 3], bound), false);
  assert.equal(bound.has("x"), false);
  assert.equal(matches([{ $bind: "x" }, 2], [1, 2], bound), true);
  assert.deepEqual(expand({ a: [{ $ref: "x" }, { $repeat: ["b", 3] }] }, bound), { a: [1, "bbb"] });
});

test("integers beyond doubles stay as they are", () => {
  const text = '{"id":123456789012345678901234567890,"text":"1234567890123456789","n":[-9007199254740993,5]}';
  assert.equal(encode(decode(text)), text);
});

const INITIALIZE = { jsonrpc: "2.0", id: 1, method: "chat.stream", params: { stream_id: "s", messages: [] } };
const RESULT = {
  stream_id: "s",
  chunks: 1,
  provider: "p",
  model: "m",
  message: { role: "assistant", content: [{ type: "text", text: "ab" }] },
  finish_reason: { reason: "stop" },
  usage: {},
  cost: { amount: null },
  timing: { total_ms: 0 },
  attempts: [],
  warnings: [],
};

function chunk(seq: number, text: string): object {
  const params = { stream_id: "s", seq, delta: { type: "text", index: 0, text } };
  return { jsonrpc: "2.0", method: "stream.chunk", params };
}

function reply(result: object): object {
  return { jsonrpc: "2.0", id: 1, result };
}

/** Has a witness see that a stream was asked for, and these lines as the answer. */
function witnessed(...messages: (object | string)[]): void {
  const witness = new Witness();
  witness.sent(Buffer.from(`${JSON.stringify(INITIALIZE)}\n`));
  for (const message of messages) {
    witness.received(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  }
  witness.allAnswered();
}

test("a witness holds a session against the guarantees", () => {
  witnessed(chunk(0, "ab"), reply(RESULT));
  const breaches: [breach: (object | string)[], complaint: RegExp][] = [
    [[], /never answered/],
    [[chunk(1, "ab")], /seq counts/],
    [[chunk(0, "x"), reply(RESULT)], /deep/],
    [[reply(RESULT)], /number of chunks/],
    [[chunk(0, "ab"), reply(RESULT), reply(RESULT)], /a reply to nobody/],
    [[chunk(0, "ab"), reply(RESULT), chunk(1, "c")], /not open/],
    [[chunk(0, "x".repeat(40_000))], /a chunk of/],
    [[chunk(0, "\ud800")], /code point was split/],
    [[chunk(0, "ab"), reply({ ...RESULT, usage: null })], /not a ChatResult/],
    [['{"jsonrpc":"2.0","id":1,"result":{"é":1}}'], /printable ASCII/],
  ];
  for (const [messages, complaint] of breaches) assert.throws(() => witnessed(...messages), complaint);
});
