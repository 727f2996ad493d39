import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../src/index.js";
import { withSidecar } from "../fake/hosting.js";

const SYSTEM = { role: "system" as const, content: "Be brief." };

function answer(text: string) {
  return { role: "assistant", content: [{ type: "text", text, "x-note": null }] };
}

test(
  "questions and answers are kept as they came, and a failed turn is not",
  withSidecar(async (sidecar) => {
    const conversation = new Conversation(sidecar, { model: "fake-1" }, [SYSTEM]);
    await conversation.send("one").result();
    const question = { role: "user", content: "one" };
    assert.deepEqual(conversation.messages, [SYSTEM, question, answer("one")]);
    const results = [{ type: "tool_result" as const, tool_call_id: "c", content: "two" }];
    await assert.rejects(conversation.answer(results).result(), { type: "invalid_params" });
    assert.deepEqual(conversation.messages, [SYSTEM, question, answer("one")]);
  }),
);

test(
  "a cancelled turn is kept as far as it came",
  withSidecar(async (sidecar) => {
    const conversation = new Conversation(sidecar);
    const stream = conversation.send("for ever");
    for await (const _ of stream.texts()) break;
    assert.equal((await stream.result()).finish_reason.reason, "cancelled");
    assert.deepEqual(conversation.messages, [{ role: "user", content: "for ever" }, answer("forever")]);
  }),
);

test(
  "a turn is kept when its result is known, whoever awaits it",
  withSidecar(async (sidecar) => {
    const conversation = new Conversation(sidecar);
    for await (const _ of conversation.send("one two").texts());
    assert.equal(conversation.messages.length, 2);
  }),
);
