/** Plays the steps of a transcript; `protocol/conformance/README.md` says what they mean. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setTimeout } from "node:timers/promises";
import { encode } from "./json.js";
import { type Bound, expand, match, matches, Mismatch } from "./patterns.js";
import { inTime, type SidecarProcess, STEP_MS } from "./process.js";
import { Witness } from "./witness.js";

export type Step = Readonly<Record<string, unknown>>;

const HOST_STOPPED_READING = 3;

export class Player {
  readonly witness = new Witness();
  readonly #process: SidecarProcess;
  readonly #bound: Bound = new Map();
  readonly #helpers = new Map<string, ChildProcess>();
  readonly #listeners: Server[] = [];
  #pings = 0;
  #exited = false;

  constructor(process: SidecarProcess) {
    this.#process = process;
  }

  async play(step: Step): Promise<void> {
    const [[verb, argument] = ["", undefined]] = Object.entries(step);
    const play = this.#verbs[verb];
    assert(play !== undefined, `there is no step "${verb}"`);
    await play(argument);
  }

  /** Ends the session as a host does, unless the transcript did, and requires that all was answered. */
  async finish(): Promise<void> {
    if (this.#exited) return;
    await this.play({ close_stdin: true });
    for (let line = await this.#process.readLine(); line !== undefined; line = await this.#process.readLine()) {
      this.witness.received(line);
    }
    await this.play({ expect_exit: 0 });
  }

  /** Frees what steps have made. */
  async close(): Promise<void> {
    for (const name of this.#helpers.keys()) await this.#kill(name);
    for (const listener of this.#listeners) listener.close();
  }

  // The argument of a step is what the transcript says, which its verb trusts.
  readonly #verbs: Readonly<Record<string, (argument: any) => void | Promise<void>>> = {
    send: (message: unknown) => this.#write(`${encode(expand(message, this.#bound))}\n`),
    send_raw: (text: unknown) => this.#write([expand(text, this.#bound)].flat().join("")),
    send_base64: (text: string) => this.#write(Buffer.from(text, "base64")),
    recv: async (pattern: unknown) => match(pattern, await this.#receive(), this.#bound),
    recv_until: (pattern: unknown) => this.#receiveUntil(pattern),
    recv_unordered: (patterns: unknown[]) => this.#receiveUnordered(patterns),
    silence: () => this.#silence(),
    stop_reading: () => this.#process.stopReading(),
    resume_reading: () => this.#process.resumeReading(),
    idle_ms: (ms: number) => setTimeout(ms),
    close_stdin: () => {
      this.witness.ended();
      this.#process.closeStdin();
    },
    signal: (name: string) => this.#process.signal(name),
    spawn: (name: string) => this.#spawn(name),
    kill: (name: string) => this.#kill(name),
    listen: (name: string) => this.#listen(name),
    expect_exit: (code: number) => this.#expectExit(code),
  };

  async #write(data: string | Buffer): Promise<void> {
    const bytes = Buffer.from(data as string);
    this.witness.sent(bytes);
    await this.#process.write(bytes);
  }

  async #receive(): Promise<unknown> {
    const line = await this.#process.readLine();
    assert(line !== undefined, "the output ended");
    return this.witness.received(line);
  }

  async #receiveUntil(pattern: unknown): Promise<void> {
    const end = performance.now() + STEP_MS;
    for (;;) {
      const message = await this.#receive();
      if (matches(pattern, message, this.#bound)) return;
      if (performance.now() > end) throw new Mismatch("message", encode(pattern), message);
    }
  }

  async #receiveUnordered(patterns: unknown[]): Promise<void> {
    const missing = [...patterns];
    while (missing.length > 0) {
      const message = await this.#receive();
      const found = missing.findIndex((pattern) => matches(pattern, message, this.#bound));
      if (found === -1) throw new Mismatch("message", `one of ${encode(missing)}`, message);
      missing.splice(found, 1);
    }
  }

  async #silence(): Promise<void> {
    const id = `silence-${(this.#pings += 1)}`;
    await this.play({ send: { jsonrpc: "2.0", id, method: "server.ping" } });
    await this.play({ recv: { id } });
  }

  #spawn(name: string): void {
    const helper = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    this.#helpers.set(name, helper);
    this.#bound.set(name, helper.pid);
  }

  async #kill(name: string): Promise<void> {
    const helper = this.#helpers.get(name);
    if (helper?.exitCode !== null || helper.signalCode !== null) return;
    const closed = once(helper, "close");
    helper.kill("SIGKILL");
    await inTime(closed, "the end of a helper");
  }

  async #listen(name: string): Promise<void> {
    const listener = createServer((socket) => socket.on("error", () => undefined).resume());
    this.#listeners.push(listener);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    this.#bound.set(name, `http://127.0.0.1:${(listener.address() as AddressInfo).port}/v1`);
  }

  async #expectExit(code: number): Promise<void> {
    this.#exited = true;
    assert.equal(await this.#process.exitCode(), code, "the exit code");
    this.#process.resumeReading();
    if (code === HOST_STOPPED_READING) return;
    const line = await this.#process.readLine();
    assert(line === undefined, `unexpected at the end: ${line?.toString().slice(0, 500)}`);
    this.witness.allAnswered();
  }
}
