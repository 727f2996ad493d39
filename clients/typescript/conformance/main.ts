/** `node main.js COMMAND ARG…`: plays every transcript of `protocol/conformance` against a sidecar. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "./json.js";
import { Player, type Step } from "./player.js";
import { SidecarProcess } from "./process.js";
import { PROTOCOL } from "./schema.js";

const AT_A_TIME = 3;
const TRANSCRIPTS = new URL("conformance/", PROTOCOL);
const SHOWN_OF_LOG = 2_000;

interface Header {
  readonly covers: readonly string[];
  readonly args?: readonly string[];
}

/** Plays a transcript; throws where it does not hold. */
async function play(command: readonly string[], name: string): Promise<void> {
  const lines = (await readFile(new URL(name, TRANSCRIPTS), "utf8")).split("\n").filter((line) => line.trim() !== "");
  const [header, ...steps] = lines.map(decode) as [Header, ...Step[]];
  const home = await mkdtemp(join(tmpdir(), "conformance-"));
  const process = new SidecarProcess(command, header.args ?? [], home);
  const player = new Player(process);
  try {
    for (const [index, step] of steps.entries()) await at(`line ${index + 2}`, process, () => player.play(step));
    await at("the end", process, () => player.finish());
    const unseen = header.covers.filter((cover) => !cover.startsWith("guarantee:") && !player.witness.seen.has(cover));
    assert.deepEqual(unseen, [], "what the transcript covers, and does not show");
  } finally {
    await player.close();
    await process.kill();
    await rm(home, { recursive: true, force: true });
  }
}

async function at(where: string, process: SidecarProcess, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}\n${process.log.slice(-SHOWN_OF_LOG)}`, { cause: error });
  }
}

/** Plays transcripts until none is left, and returns how many have failed. */
async function work(command: readonly string[], names: string[]): Promise<number> {
  let failed = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    try {
      await play(command, name);
      console.log(`${name}: passed`);
    } catch (error) {
      failed += 1;
      console.log(`${name}: FAILED at ${(error as Error).message.trim()}`);
    }
  }
  return failed;
}

async function main(command: readonly string[]): Promise<number> {
  assert(command.length > 0, "usage: npm run conformance -- COMMAND ARG…");
  const names = (await readdir(TRANSCRIPTS)).filter((name) => name.endsWith(".jsonl")).sort();
  const all = names.length;
  const counts = await Promise.all(Array.from({ length: AT_A_TIME }, () => work(command, names)));
  const failed = counts.reduce((sum, count) => sum + count, 0);
  console.log(`${all - failed} passed, ${failed} failed`);
  return failed;
}

process.exitCode = (await main(process.argv.slice(2))) === 0 ? 0 : 1;
