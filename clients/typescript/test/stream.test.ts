import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionClosed } from "../src/errors.js";
import { Exchange } from "../src/exchange.js";
import { Incoming } from "../src/incoming.js";
import type { ChatStream, JsonObject, StreamEvent } from "../src/index.js";
import { ChatStream as Stream } from "../src/stream.js";

const MAX_UNREAD = 5;
const GRACE_MS = 100;
const RESULT = {
  provider: "p",
  model: "m",
  finish_reason: { reason: "stop" },
  usage: {},
  cost: { amount: null },
  timing: { total_ms: 0 },
  attempts: [],
  warnings: [],
};

/** A stream that was asked for, with the ids of the requests that were cancelled. */
function begun(): { incoming: Incoming; exchange: Exchange; stream: ChatStream; cancelled: number[] } {
  const cancelled: number[] = [];
  const incoming = new Incoming("s1", MAX_UNREAD);
  const cancelling = { graceMs: GRACE_MS, notify: (id: number) => void cancelled.push(id) };
  const exchange = new Exchange(7, "chat.stream", incoming, cancelling);
  incoming.begun(exchange);
  return { incoming, exchange, stream: new Stream(incoming), cancelled };
}

function text(seq: number, text = `${seq}`): JsonObject {
  return { stream_id: "s1", seq, delta: { type: "text", index: 0, text } };
}

async function read(stream: ChatStream): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

test("deltas and statuses are items, in their order, and then it is over", async () => {
  const { incoming, exchange, stream } = begun();
  incoming.status({ stream_id: "s1", state: "queued" });
  incoming.chunk(text(0));
  incoming.chunk({ stream_id: "s1", seq: 1, delta: { type: "x-new", data: [1] } });
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 2 } });
  assert.deepEqual(await read(stream), [
    { type: "status", stream_id: "s1", state: "queued" },
    { type: "text", index: 0, text: "0" },
    { type: "x-new", data: [1] },
  ]);
  assert.equal((await stream.result()).chunks, 2);
});

test("texts are the text deltas alone", async () => {
  const { incoming, exchange, stream } = begun();
  incoming.chunk({ stream_id: "s1", seq: 0, delta: { type: "reasoning", index: 0, text: "Hm." } });
  incoming.chunk(text(1, "a"));
  incoming.chunk(text(2, "b"));
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 3 } });
  const pieces: string[] = [];
  for await (const piece of stream.texts()) pieces.push(piece);
  assert.deepEqual(pieces, ["a", "b"]);
});

test("an error ends the iteration after all events before it, and the result", async () => {
  const { incoming, exchange, stream } = begun();
  incoming.chunk(text(0));
  exchange.fail(connectionClosed("gone"));
  const iterator = stream[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).done, false);
  await assert.rejects(iterator.next(), { type: "connection_closed" });
  await assert.rejects(stream.result(), { type: "connection_closed" });
});

test("who wants the result alone need not read, and nothing is kept", async () => {
  const { incoming, exchange, stream } = begun();
  const result = stream.result();
  for (let seq = 0; seq < 10 * MAX_UNREAD; seq += 1) incoming.chunk(text(seq));
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 10 * MAX_UNREAD } });
  assert.equal((await result).chunks, 10 * MAX_UNREAD);
  assert.deepEqual(await read(stream), []);
});

test("who asks for the result and reads at once misses nothing", async () => {
  const { incoming, exchange, stream } = begun();
  const both = Promise.all([stream.result(), read(stream)]);
  incoming.chunk(text(0));
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 1 } });
  assert.equal((await both)[1].length, 1);
});

test("too many unread events cancel the stream, and are not lost", async () => {
  const { incoming, stream, cancelled } = begun();
  for (let seq = 0; seq < 2 * MAX_UNREAD; seq += 1) incoming.chunk(text(seq));
  assert.deepEqual(cancelled, [7]);
  const seen: StreamEvent[] = [];
  await assert.rejects(
    async () => {
      for await (const event of stream) seen.push(event);
    },
    { type: "client_stalled", retryable: true },
  );
  assert.equal(seen.length, MAX_UNREAD + 1);
});

test("a gap, and a chunk that came twice, fail the stream and cancel what is left", async () => {
  for (const seq of [0, 2]) {
    const { incoming, stream, cancelled } = begun();
    incoming.chunk(text(0));
    incoming.chunk(text(seq));
    await assert.rejects(stream.result(), { type: "invalid_message" });
    assert.deepEqual(cancelled, [7]);
  }
});

test("a result that counts other chunks, or is none, fails the stream", async () => {
  for (const result of [{ ...RESULT, chunks: 2 }, RESULT, { chunks: 1 }]) {
    const { incoming, exchange, stream } = begun();
    incoming.chunk(text(0));
    exchange.answer({ id: 7, result });
    await assert.rejects(stream.result(), { type: "invalid_message" });
  }
});

test("leaving the iteration cancels, and the result is still there", async () => {
  const { incoming, exchange, stream, cancelled } = begun();
  incoming.chunk(text(0));
  for await (const event of stream) {
    assert.equal(event.type, "text");
    break;
  }
  assert.deepEqual(cancelled, [7]);
  incoming.chunk(text(1));
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 2, finish_reason: { reason: "cancelled" } } });
  assert.equal((await stream.result()).finish_reason.reason, "cancelled");
});

test("reading to the end cancels nothing, and cancelling twice is cancelling once", async () => {
  const { exchange, stream, cancelled } = begun();
  stream.cancel();
  stream.cancel();
  exchange.answer({ id: 7, result: { ...RESULT, chunks: 0 } });
  assert.deepEqual(await read(stream), []);
  stream.cancel();
  assert.deepEqual(cancelled, [7]);
});

test("a stream that has not begun can be cancelled", async () => {
  const stream = new Stream(new Incoming("s1", MAX_UNREAD));
  stream.cancel();
  await assert.rejects(stream.result(), { type: "request_cancelled" });
});

test("an error that nobody looks at is nobody's loss", async (context) => {
  const unhandled = context.mock.fn();
  process.on("unhandledRejection", unhandled);
  begun().exchange.fail(connectionClosed("gone"));
  await new Promise(setImmediate);
  process.off("unhandledRejection", unhandled);
  assert.equal(unhandled.mock.callCount(), 0);
});
