/**
 * A sidecar for tests: `node sidecar.js` answers to the methods below, and to nothing else. It logs its process id.
 * With `--once FILE` it answers the first handshake alone; that there was one is kept in the file.
 */

import { existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

const DIE_AT_START = process.argv.includes("--die-at-start");
const ONCE = process.argv.indexOf("--once");
const ONCE_FILE = ONCE === -1 ? undefined : process.argv[ONCE + 1];
const CHAT_RESULT = {
  provider: "fake",
  model: "fake-1",
  finish_reason: { reason: "stop" },
  usage: {},
  cost: { amount: null },
  timing: { total_ms: 0 },
  attempts: [],
  warnings: [],
};

const cancelled = new Map<unknown, () => void>();

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

function chunk(stream_id: unknown, seq: number, text: string): void {
  write({ method: "stream.chunk", params: { stream_id, seq, delta: { type: "text", index: 0, text } } });
}

function chatResult({ stream_id }: Request["params"], chunks: number, text: string, reason: string): object {
  const message = { role: "assistant", content: [{ type: "text", text, "x-note": null }] };
  return { ...CHAT_RESULT, stream_id, chunks, message, finish_reason: { reason } };
}

/** Says each word of the last message, which must be a text; without an end where it is `for ever`. */
function stream({ id, params }: Request): void {
  const content = (params["messages"] as { content: unknown }[]).at(-1)?.content;
  if (typeof content !== "string") return write(refusal(id, -32602, "invalid_params"));
  const words = content.split(" ");
  words.forEach((word, seq) => chunk(params["stream_id"], seq, word));
  const end = (reason: string): void => {
    write({ id, result: chatResult(params, words.length, words.join(""), reason) });
  };
  if (words.join(" ") === "for ever") cancelled.set(id, () => end("cancelled"));
  else end("stop");
}

function refusal(id: unknown, code: number, type: string): object {
  return { id, error: { code, message: `It is ${type}.`, data: { type, category: "protocol", retryable: false } } };
}

const methods: Record<string, (request: Request) => void> = {
  initialize: ({ id, params }) => {
    if (DIE_AT_START) process.exit(1);
    if (ONCE_FILE !== undefined && existsSync(ONCE_FILE)) return;
    if (ONCE_FILE !== undefined) writeFileSync(ONCE_FILE, "");
    const server_info = { name: "fake", version: "0", pid: process.pid };
    write({ id, result: { protocol_version: params["protocol_version"], server_info, capabilities: {}, limits: {} } });
  },
  shutdown: ({ id }) => write({ id, result: {} }),
  "server.ping": ({ id }) => write({ id, result: { uptime_ms: 1 } }),
  "test.echo": ({ id, params }) => write({ id, result: params }),
  "test.die": () => process.exit(1),
  "test.hang": ({ id }) => cancelled.set(id, () => write(refusal(id, -32800, "request_cancelled"))),
  "test.deaf": () => undefined,
  "chat.stream": stream,
  "$/cancelRequest": ({ params }) => cancelled.get(params["id"])?.(),
};

console.error(`process ${process.pid}`);
process.stdin.on("end", () => process.exit(0));
createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line) as Request;
  const method = methods[request.method];
  if (method !== undefined) method(request);
  else write(refusal(request.id, -32601, "method_not_found"));
});
