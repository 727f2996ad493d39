import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatStream, Delta, Part, Reason, Sidecar, StreamEvent } from "../src/index.js";

/** What the compiler must make of the types; that this file compiles is most of the test. */
function shown(event: StreamEvent): string {
  switch (event.type) {
    case "text":
      return event.text;
    case "tool_call":
      return `${event.name ?? ""}${event.arguments ?? ""}`;
    case "part":
      return content(event.part);
    case "status":
      return event.state;
    case "reasoning":
    case "refusal":
    case "usage":
      return event.type;
    default:
      return `${event.type}: ${String(event["x-member"])}`;
  }
}

function content(part: Part): string {
  return part.type === "text" ? part.text : part.type;
}

test("comparing the tag narrows a union, and what is unknown has any members", () => {
  const part = '{"type":"part","index":1,"part":{"type":"text","text":"b"}}';
  const json = `[{"type":"text","index":0,"text":"a"},${part},{"type":"x-new","x-member":5}]`;
  const events = JSON.parse(json) as Delta[];
  assert.deepEqual(events.map(shown), ["a", "b", "x-new: 5"]);
});

test("open enumerations take any text, closed ones do not", () => {
  const reasons: Reason[] = ["stop", "x-new"];
  // @ts-expect-error -- `robot` is no role.
  const message: Parameters<ChatStreamOf>[0] = { messages: [{ role: "robot", content: "" }] };
  assert.equal(reasons.length + message.messages.length, 3);
});

type ChatStreamOf = Sidecar["chat"]["stream"];

/** Params may be left out where none is required; results are typed. Never called: it has to compile. */
async function calls(sidecar: Sidecar, signal: AbortSignal): Promise<(string | number)[]> {
  const { models } = await sidecar.models.list({}, { signal });
  const { uptime_ms } = await sidecar.server.ping();
  // @ts-expect-error -- `config` is required.
  await sidecar.providers.configure();
  const stream: ChatStream = sidecar.chat.stream({ messages: [] });
  const texts: string[] = [];
  for await (const text of stream.texts()) texts.push(text);
  return [...models.map(({ id }) => id), uptime_ms, ...texts];
}

test("functions of methods are typed", () => {
  assert.equal(typeof calls, "function");
});
