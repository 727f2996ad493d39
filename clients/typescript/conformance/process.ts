/** A sidecar on raw pipes, alone in a home of its own, without a keychain. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";

/** How long each step may take. */
export const STEP_MS = 10_000;

const LINE_FEED = 0x0a;
const KEPT_ENVIRONMENT = ["PATH", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV"];
const NO_KEYCHAIN = { PYTHON_KEYRING_BACKEND: "keyring.backends.fail.Keyring" };
const SIGNALLED = 128;

/** Returns what the promise returns, unless the step takes too long. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${STEP_MS / 1000} s`)), STEP_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class SidecarProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<number>;
  readonly #closed: Promise<unknown>;
  readonly #lines: (Buffer | undefined)[] = [];
  #pieces: Buffer[] = [];
  #log = "";
  #arrived: () => void = () => undefined;

  constructor(command: readonly string[], args: readonly string[], home: string) {
    const [program = "", ...words] = command;
    const kept = KEPT_ENVIRONMENT.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
    this.#child = spawn(program, [...words, "--data-dir", join(home, "data"), ...args], {
      cwd: home,
      env: { ...Object.fromEntries(kept), ...NO_KEYCHAIN, HOME: home, XDG_RUNTIME_DIR: home },
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => resolve(code ?? SIGNALLED + constants.signals[signal ?? "SIGKILL"]));
    });
    this.#exit.catch(() => undefined);
    this.#closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (bytes: Buffer) => this.#read(bytes));
    this.#child.stdout.once("end", () => this.#ended());
    this.#child.stderr.on("data", (bytes: Buffer) => (this.#log += bytes.toString()));
  }

  /** What the sidecar has written to stderr. */
  get log(): string {
    return this.#log;
  }

  /** Writes all of the bytes. A sidecar that has gone takes nothing; what follows tells whether it should have. */
  async write(bytes: Buffer): Promise<void> {
    await inTime(new Promise<void>((resolve) => this.#child.stdin.write(bytes, () => resolve())), "writing");
  }

  /** Returns the next line, or undefined at the end of the output. */
  async readLine(): Promise<Buffer | undefined> {
    if (this.#lines.length === 0) {
      await inTime(new Promise<void>((resolve) => (this.#arrived = resolve)), "the next message");
    }
    const line = this.#lines.shift();
    if (line === undefined) this.#lines.push(undefined);
    return line;
  }

  stopReading(): void {
    this.#child.stdout.pause();
  }

  resumeReading(): void {
    this.#child.stdout.resume();
  }

  closeStdin(): void {
    this.#child.stdin.end();
  }

  signal(name: string): void {
    this.#child.kill(name as NodeJS.Signals);
  }

  /** Returns the exit code, as a shell would name it. */
  exitCode(): Promise<number> {
    return inTime(this.#exit, "the exit");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    this.resumeReading();
    await inTime(this.#closed, "the end of the pipes");
  }

  #read(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#lines.push(Buffer.concat([...this.#pieces, bytes.subarray(start, end)]));
      this.#pieces = [];
      start = end + 1;
    }
    if (start < bytes.length) this.#pieces.push(bytes.subarray(start));
    if (this.#lines.length > 0) this.#arrived();
  }

  #ended(): void {
    if (this.#pieces.length > 0) this.#lines.push(Buffer.from("the last line has no line feed\0"));
    this.#lines.push(undefined);
    this.#arrived();
  }
}
