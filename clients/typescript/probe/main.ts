/** `node main.js SCENARIO.json COMMAND ARG…`: takes the steps of a scenario's host, and writes what each saw. */

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Host, type Step } from "./steps.js";
import { shortened } from "./written.js";

const STEP_MS = 15_000;
const ENDLESS = "wait";

async function main(scenario: string, command: string, args: string[]): Promise<void> {
  const { host: steps } = JSON.parse(readFileSync(scenario, "utf8")) as { host: Step[] };
  const host = new Host(command, args);
  for (const step of steps) {
    const seen = await bounded(step, host.take(step));
    process.stdout.write(`${ascii(JSON.stringify(shortened(seen ?? { timeout: true })))}\n`);
    if (seen === undefined) process.exit(1);
  }
  await host.close();
}

/** Returns what the step saw, or undefined where it takes too long. */
async function bounded<T>(step: Step, seen: Promise<T>): Promise<T | undefined> {
  if (step.do === ENDLESS) return seen;
  const late = new AbortController();
  const timeout = setTimeout(STEP_MS, undefined, { signal: late.signal }).catch(() => undefined);
  return Promise.race([seen, timeout]).finally(() => late.abort());
}

/** Returns JSON in which nothing but its end can be taken for a line's end. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const [scenario = "", command = "", ...args] = process.argv.slice(2);
await main(scenario, command, args);
