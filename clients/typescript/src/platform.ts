/** What differs between Windows and the others: names of executables, groups of processes, and how they are ended. */

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";

const WINDOWS = process.platform === "win32";

/** The file name of the sidecar. */
export const EXECUTABLE = WINDOWS ? "llm-sidecar.exe" : "llm-sidecar";

/**
 * What makes the child the first of a process group of its own, without a console window. On Windows Node itself puts
 * children into a job object that ends with it, unless they are detached.
 */
export const GROUP: SpawnOptions = { detached: !WINDOWS, windowsHide: true };

/** Tells whether there is a file that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, WINDOWS ? constants.F_OK : constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Asks the child's group to end; Windows has no way to ask, so there it is killed. */
export function terminate(child: ChildProcess): void {
  if (WINDOWS) killTree(child);
  else if (isRunning(child)) signalGroup(child, "SIGTERM");
}

/** Kills the child and its group. */
export function kill(child: ChildProcess): void {
  if (WINDOWS) killTree(child);
  else if (isRunning(child)) signalGroup(child, "SIGKILL");
}

/** Kills what a child has left of its group. To be called as it exits: later, its id may be that of another group. */
export function sweep(child: ChildProcess): void {
  if (!WINDOWS) signalGroup(child, "SIGKILL");
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nothing of the group is left. EPERM: on macOS, only zombies are.
  }
}

/** The tree is found by the child's id, so it must still run; Windows knows no groups. */
function killTree(child: ChildProcess): void {
  if (child.pid === undefined || !isRunning(child)) return;
  const taskkill = spawn("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
  taskkill.on("error", () => child.kill());
}
