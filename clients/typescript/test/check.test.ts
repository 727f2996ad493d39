import assert from "node:assert/strict";
import { test } from "node:test";
import { list, map, nullable, optional, record, string, union } from "../src/check.js";
import { ChatResult, Delta, ModelList } from "../src/shapes.js";

test("a check names the place of what is wrong", () => {
  const model = { id: "m", provider: "p", price: { source: "table" } };
  const priced = { ...model, price: { source: "table", input: 5 } };
  assert.equal(ModelList({ provider: "p", models: [model, priced] }), ".models[1].price.input");
  assert.equal(ModelList({ provider: "p", models: {} }), ".models");
  assert.equal(ModelList([]), "");
});

test("absence is allowed to optional members, null only to nullable ones", () => {
  const check = record({ a: optional(string), b: nullable(string) });
  const values = [{}, { a: "x", b: "y" }, { b: null }, { a: null }, { b: 5 }];
  assert.deepEqual(values.map(check), [undefined, undefined, undefined, ".a", ".b"]);
});

test("an open union takes unknown arms, a closed one none", () => {
  const arms = { one: record({ x: string }) };
  const values = [{ t: "one", x: "" }, { t: "one" }, { t: "new" }, { t: 5 }, {}, "one"];
  assert.deepEqual(values.map(union("t", "open", arms)), [undefined, ".x", undefined, ".t", ".t", ""]);
  assert.deepEqual(values.map(union("t", "closed", arms)), [undefined, ".x", ".t", ".t", ".t", ""]);
});

test("members of maps and lists are checked", () => {
  assert.equal(map(list(string))({ a: ["x"], b: ["x", 5] }), ".b[1]");
  assert.equal(map(string)([]), "");
});

test("a delta is checked by its type", () => {
  assert.equal(Delta({ type: "text", index: 0, text: "x" }), undefined);
  assert.equal(Delta({ type: "text", index: 0.5, text: "x" }), ".index");
  assert.equal(Delta({ type: "x-new", index: "none" }), undefined);
});

test("a result without a message is one, a result without usage is none", () => {
  const result = {
    provider: "p",
    model: "m",
    finish_reason: { reason: "x-new" },
    usage: {},
    cost: { amount: null },
    timing: { total_ms: 0 },
    attempts: [],
    warnings: [],
  };
  assert.equal(ChatResult(result), undefined);
  assert.equal(ChatResult({ ...result, message: null }), undefined);
  assert.equal(ChatResult({ ...result, usage: null }), ".usage");
});
