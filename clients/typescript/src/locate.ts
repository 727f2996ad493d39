/** Where the sidecar's executable is. */

import { delimiter, dirname, join } from "node:path";
import { sidecarNotFound } from "./errors.js";
import { EXECUTABLE, isExecutable } from "./platform.js";

const VARIABLE = "LLM_SIDECAR";
const FOLDER = "llm-sidecar";

/** What is known of the app that looks for its sidecar. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The app's own executable. */
  readonly execPath: string;
  /** The folder of the app's resources, which Electron tells. */
  readonly resourcesPath: string | undefined;
}

/** Returns what surrounds this process. */
export function surroundings(): Surroundings {
  const { resourcesPath } = process as NodeJS.Process & { resourcesPath?: string };
  return { env: process.env, execPath: process.execPath, resourcesPath };
}

/** Returns the executable to start: what was asked for, or the first that is found. */
export function locate(command: string | undefined, around: Surroundings = surroundings()): string {
  const named = command ?? (around.env[VARIABLE] || undefined);
  if (named !== undefined) return named;
  const found = candidates(around).find(isExecutable);
  if (found !== undefined) return found;
  throw sidecarNotFound(`There is no ${EXECUTABLE} beside the app, among its resources, or on the PATH.`);
}

/** Returns the places to look at, the first one first. */
export function candidates(around: Surroundings): string[] {
  const app = [dirname(around.execPath), ...(around.resourcesPath === undefined ? [] : [around.resourcesPath])];
  const path = (around.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [
    ...app.flatMap((folder) => [join(folder, EXECUTABLE), join(folder, FOLDER, EXECUTABLE)]),
    ...path.map((folder) => join(folder, EXECUTABLE)),
  ];
}
