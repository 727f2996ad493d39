import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Connection } from "../src/connection.js";
import { Sidecar } from "../src/index.js";
import { settings } from "../src/options.js";
import { FAKE, fake, saying, withSidecar } from "../fake/hosting.js";

const HOST_MS = 10_000;
const INDEX = JSON.stringify(new URL("../src/index.js", import.meta.url).href);
const START = `Sidecar.start(${JSON.stringify({ command: process.execPath, args: [FAKE] })})`;

/** Runs a host, and returns what it printed and its exit code; it must end by itself. */
async function host(program: string): Promise<{ output: string; code: number | null }> {
  const source = `import { Sidecar } from ${INDEX};\n${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], { timeout: HOST_MS });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { output, code };
}

/** Waits until there is no such process, or only what its parent has not yet asked about. */
async function gone(pid: number): Promise<void> {
  for (const end = performance.now() + HOST_MS; performance.now() < end; await new Promise(setImmediate)) {
    if (!lives(pid)) return;
  }
  assert.fail(`process ${pid} is still there`);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test(
  "calls are answered, each with its own result",
  withSidecar(async (sidecar) => {
    const calls = Array.from({ length: 50 }, (_, number) => sidecar.request("test.echo", { number }));
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 50 }, (_, number) => ({ number })));
    assert.deepEqual(await sidecar.server.ping(), { uptime_ms: 1 });
    assert.equal(sidecar.info?.server_info.pid, sidecar.pid);
    await assert.rejects(sidecar.models.list(), { type: "method_not_found", code: -32601 });
  }),
);

test(
  "params that are no JSON fail their call alone",
  withSidecar(async (sidecar) => {
    await assert.rejects(sidecar.request("test.echo", { number: 1n }), TypeError);
    assert.deepEqual(await sidecar.request("test.echo", { number: 1 }), { number: 1 });
  }),
);

test(
  "an aborted call is cancelled, and fails with the reason as its cause",
  withSidecar(async (sidecar) => {
    const before = AbortSignal.abort("early");
    await assert.rejects(sidecar.request("test.echo", {}, { signal: before }), { cause: "early" });
    const abort = new AbortController();
    const hanging = sidecar.request("test.hang", {}, { signal: abort.signal });
    abort.abort("enough");
    await assert.rejects(hanging, { type: "request_cancelled", message: "It is request_cancelled." });
  }),
);

test(
  "a cancelled call that is not answered ends after the grace",
  withSidecar(
    async (sidecar) => {
      const abort = new AbortController();
      const deaf = sidecar.request("test.deaf", {}, { signal: abort.signal });
      abort.abort("enough");
      await assert.rejects(deaf, { type: "request_cancelled", cause: "enough" });
    },
    { cancelGraceMs: 10 },
  ),
);

test(
  "streams end as their signal, or an aborted one, says",
  withSidecar(async (sidecar) => {
    const abort = new AbortController();
    const stream = sidecar.chat.stream(saying("for ever"), { signal: abort.signal });
    const seen: string[] = [];
    for await (const piece of stream.texts()) {
      seen.push(piece);
      if (seen.length === 2) abort.abort();
    }
    assert.deepEqual(seen, ["for", "ever"]);
    assert.equal((await stream.result()).finish_reason.reason, "cancelled");
    const never = sidecar.chat.stream(saying("no"), { signal: abort.signal });
    await assert.rejects(never.result(), { type: "request_cancelled" });
  }),
);

test(
  "a stream id may be taken again, and streams without one do not share theirs",
  withSidecar(async (sidecar) => {
    const streams = [1, 2].map(() => sidecar.chat.stream({ ...saying("a b"), stream_id: "mine" }));
    const results = await Promise.all(streams.map((stream) => stream.result()));
    assert.deepEqual(results.map(({ chunks }) => chunks), [2, 2]);
    assert.notEqual(sidecar.chat.stream(saying("a")).id, sidecar.chat.stream(saying("a")).id);
  }),
);

test(
  "after a crash the next call has a new process",
  withSidecar(async (sidecar) => {
    const { pid } = sidecar;
    const open = sidecar.chat.stream(saying("for ever"));
    await assert.rejects(sidecar.request("test.die"), { type: "connection_closed", retryable: true });
    await assert.rejects(open.result(), { type: "connection_closed" });
    const [echo, stream] = [sidecar.request("test.echo", { a: 1 }), sidecar.chat.stream(saying("a b"))];
    assert.deepEqual(await echo, { a: 1 });
    assert.equal((await stream.result()).chunks, 2);
    assert.notEqual(sidecar.pid, pid);
  }),
);

test("a session that has ended refuses at once", async () => {
  const connection = await Connection.open(settings(fake()));
  await assert.rejects(connection.request("test.die", {}), { type: "connection_closed" });
  assert.equal(connection.ended, true);
  await assert.rejects(connection.request("test.echo", {}), { type: "connection_closed" });
  await connection.close();
});

test(
  "a call that waits for a restart can be cancelled",
  withSidecar(async (sidecar) => {
    await assert.rejects(sidecar.request("test.die"));
    const abort = new AbortController();
    const waiting = sidecar.request("test.echo", {}, { signal: abort.signal });
    const stream = sidecar.chat.stream(saying("a"));
    abort.abort();
    stream.cancel();
    await assert.rejects(waiting, { type: "request_cancelled" });
    await assert.rejects(stream.result(), { type: "request_cancelled" });
    assert.deepEqual(await sidecar.request("test.echo", { a: 1 }), { a: 1 });
  }),
);

test("closing ends what is open, and may be done twice, even while a new process starts", async () => {
  const sidecar = await Sidecar.start(fake());
  await assert.rejects(sidecar.request("test.die"));
  const restarting = sidecar.request("test.echo");
  const [closed, again] = [sidecar.close(), sidecar.close()];
  await assert.rejects(restarting, { type: "connection_closed" });
  await Promise.all([closed, again]);
  await assert.rejects(sidecar.request("test.echo"), { type: "connection_closed" });
  await assert.rejects(sidecar.chat.stream(saying("a")).result(), { type: "connection_closed" });
});

test("closing while a new process starts leaves none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "once-"));
  const started = new EventEmitter();
  const onLog = (line: string): void => void started.emit(...(line.split(" ") as [string, string]));
  const sidecar = await Sidecar.start(fake({ onLog }, "--once", join(folder, "once")));
  await assert.rejects(sidecar.request("test.die"));
  const again = once(started, "process");
  const restarting = assert.rejects(sidecar.request("test.echo"), { type: "connection_closed" });
  const [pid] = (await again) as [string];
  await sidecar.close();
  assert.equal(lives(Number(pid)), false);
  await restarting;
  rmSync(folder, { recursive: true });
});

test("a start without an executable, or without a handshake, fails and leaves nothing", async () => {
  await assert.rejects(Sidecar.start({ command: "/nowhere/llm-sidecar" }), { type: "sidecar_not_found" });
  await assert.rejects(Sidecar.start(fake({}, "--die-at-start")), { type: "connection_closed" });
});

test("what the log callback throws is the host's own exception, and stops nothing", async () => {
  const { output, code } = await host(`
    process.on("uncaughtException", (error) => console.log(error.message));
    const sidecar = await Sidecar.start({
      command: process.execPath,
      args: [${JSON.stringify(FAKE)}],
      onLog: () => { throw new Error("thrown"); },
    });
    await sidecar.server.ping();
    await sidecar.close();
  `);
  assert.deepEqual({ output, code }, { output: "thrown\n", code: 0 });
});

test("a host that has closed its sidecar ends by itself", async () => {
  const { code } = await host(`
    const sidecar = await ${START};
    const abort = new AbortController();
    const call = sidecar.request("test.hang", {}, { signal: abort.signal }).catch(() => undefined);
    abort.abort();
    await call;
    await sidecar[Symbol.asyncDispose]();
  `);
  assert.equal(code, 0);
});

test("a host that exits, or dies of an exception, takes its sidecar with it", async () => {
  for (const end of ["process.exit(3)", 'throw new Error("defect")']) {
    const { output, code } = await host(`console.log((await ${START}).pid); ${end};`);
    assert.notEqual(code, 0);
    await gone(Number(output));
  }
});
