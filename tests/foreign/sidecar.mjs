// The sidecar's process as both programs see it: one JSON text a line in each direction, and the steps told on stdout.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** Start the sidecar with the command of this program's arguments. */
export function start() {
  const [command, ...flags] = process.argv.slice(2);
  const child = spawn(command, flags, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit").then(([code]) => code);
  const lines = createInterface({ input: child.stdout });
  const write = (message) => child.stdin.write(JSON.stringify(message) + "\n");
  return { lines, write, exited };
}

/** Say on stdout what a step saw. */
export const tell = (step, seen) => console.log(JSON.stringify({ step, ...seen }));

/** What a call failed with. */
export async function failure(reply) {
  const { code, data } = await reply.then(() => assert.fail("no error"), (error) => error);
  return { code, type: data.type, retry_after_ms: data.retry_after_ms };
}

/** The params of a chat call for which the scripted provider plays `steps`. */
export const script = (stream_id, ...steps) => ({
  stream_id,
  messages: [{ role: "user", content: "Tell me a story." }],
  provider_options: { scripted: { steps } },
});

export const STORY = [
  { do: "text", text: "Once upon a " },
  { do: "pause", ms: 20 },
  { do: "text", text: "time — " },
  { do: "pause", ms: 20 },
  { do: "text", text: "🦔." },
  { do: "finish" },
];
export const ENDLESS = [{ do: "text", text: "Once upon a" }, { do: "hang" }];
export const OVERLOADED = [{ do: "error", type: "provider_overloaded", http_status: 529, retry_after_ms: 1500 }];

export const HELLO = { protocol_version: 1, client_info: { name: "foreign" }, process_id: process.pid };

/** Collect the chunks of streams: `texts` so far, and `first` for when a stream has begun to speak. */
export class Chunks {
  texts = new Map();
  #waiting = new Map();

  take({ stream_id, delta }) {
    this.texts.set(stream_id, [...(this.texts.get(stream_id) ?? []), delta.text]);
    this.#waiting.get(stream_id)?.();
  }

  first(stream_id) {
    return new Promise((resolve) => (this.texts.has(stream_id) ? resolve() : this.#waiting.set(stream_id, resolve)));
  }

  /** What had come of a stream when its reply was seen. */
  seen({ stream_id, chunks, message, finish_reason }) {
    const texts = this.texts.get(stream_id) ?? [];
    const whole = message.content.map((part) => part.text).join("");
    return { reason: finish_reason.reason, text: texts.join(""), whole: texts.join("") === whole, counted: texts.length === chunks };
  }
}

/** A provider that takes connections and never answers: its configuration, when it was `asked`, and how to `close` it. */
export async function silentProvider() {
  const server = createServer();
  const asked = once(server, "connection").then(([socket]) => socket);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base_url = `http://127.0.0.1:${server.address().port}/v1`;
  const close = async () => (server.close(), (await asked).destroy());
  return { config: { provider: "openai_compatible", id: "silent", base_url, model: "m" }, asked, close };
}
