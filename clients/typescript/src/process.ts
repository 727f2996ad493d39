/** The sidecar as a child process: its pipes, its log, and its end. */

import { type ChildProcess, spawn } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { connectionClosed, sidecarNotFound } from "./errors.js";
import { LineSplitter } from "./lines.js";
import { locate } from "./locate.js";
import type { Settings } from "./options.js";
import { GROUP, kill, sweep, terminate } from "./platform.js";
import { within } from "./timing.js";

/** How long a process may take to end of a signal, and its pipes to end after it. */
export const KILL_GRACE_MS = 2_000;
/** Longer lines of the log are cut. */
export const MAX_LOG_LINE_BYTES = 64 * 1024;

const NOT_EXECUTABLE = new Set(["ENOENT", "EACCES", "ENOTDIR"]);

/** What is told of a process: each line of its stdout, and then, once, that there are no more. */
export interface Listener {
  line(line: Buffer): void;
  end(): void;
}

/** A running sidecar. */
export class SidecarProcess {
  readonly #child: ChildProcess;
  readonly #settings: Settings;
  readonly #listener: Listener;
  readonly #gone: Promise<void>;
  #ended = false;
  #reads = 0;

  private constructor(child: ChildProcess, settings: Settings, listener: Listener) {
    this.#child = child;
    this.#settings = settings;
    this.#listener = listener;
    this.#gone = new Promise((resolve) => child.once("close", () => resolve()));
    for (const pipe of [child, child.stdin, child.stdout, child.stderr]) pipe?.on("error", ignore);
    this.#readOutput();
    this.#readLog();
    child.once("exit", (code, signal) => this.#exited(code, signal));
  }

  /** Starts the sidecar; fails with `sidecar_not_found` where there is none. */
  static async spawn(settings: Settings, listener: Listener): Promise<SidecarProcess> {
    const command = locate(settings.command);
    const child = spawn(command, settings.args, {
      ...GROUP,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...settings.env },
      ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
    });
    const started = new SidecarProcess(child, settings, listener);
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(notStarted(command, error)));
    });
    return started;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Writes a line. One that nobody reads any more is lost: the end of stdout tells. */
  write(line: string): void {
    if (this.#child.stdin?.writable === true) this.#child.stdin.write(`${line}\n`);
  }

  /** Closes stdin, and waits for the end; enforces it after the grace. */
  async stop(graceMs: number): Promise<void> {
    this.#child.stdin?.end();
    if (await within(this.#gone, graceMs)) return;
    terminate(this.#child);
    if (await within(this.#gone, KILL_GRACE_MS)) return;
    await this.kill();
  }

  /** Kills the process and its group, and waits for the end. */
  async kill(): Promise<void> {
    kill(this.#child);
    if (await within(this.#gone, KILL_GRACE_MS)) return;
    this.#closePipes();
    await within(this.#gone, KILL_GRACE_MS);
  }

  #readOutput(): void {
    const lines = new LineSplitter(this.#settings.maxLineBytes, (line) => {
      if (!this.#ended && !lines.overlong) this.#listener.line(line);
    });
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      this.#reads += 1;
      if (this.#ended) return;
      lines.push(bytes);
      if (lines.overlong) this.#giveUp();
    });
    this.#child.stdout?.once("close", () => this.#end());
  }

  #readLog(): void {
    const lines = new LineSplitter(MAX_LOG_LINE_BYTES, (line) => this.#settings.log(line.toString()));
    this.#child.stderr?.on("data", (bytes: Buffer) => lines.push(bytes));
    this.#child.stderr?.once("close", () => lines.end());
  }

  #giveUp(): void {
    this.#settings.log(`The sidecar wrote a line of more than ${this.#settings.maxLineBytes} bytes; it is killed.`);
    this.#end();
    void this.kill();
  }

  /** A sidecar that says no more is of no use, so it is ended. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.end();
    void this.stop(this.#settings.stopGraceMs);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (code !== 0) this.#settings.log(`The sidecar ended ${code === null ? `of ${signal}` : `with code ${code}`}.`);
    sweep(this.#child);
    void this.#drain();
  }

  /** Reads what the process has left; its pipes are closed when only a stranger holds them open. */
  async #drain(): Promise<void> {
    let reads: number;
    do {
      reads = this.#reads;
      if (await within(this.#gone, KILL_GRACE_MS)) return;
      await setImmediate(); // What came while the host was busy is read before this.
    } while (reads !== this.#reads);
    this.#closePipes();
  }

  #closePipes(): void {
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe?.destroy();
  }
}

/** Pipes that break are told by the end of stdout. */
function ignore(): void {}

function notStarted(command: string, error: NodeJS.ErrnoException): Error {
  if (NOT_EXECUTABLE.has(error.code ?? "")) return sidecarNotFound(`${command} cannot be run: ${error.code}.`, error);
  return connectionClosed(`${command} could not be started: ${error.code ?? error.message}.`);
}
