/** Clients of the fake sidecar. */

import { fileURLToPath } from "node:url";
import { Sidecar, type SidecarOptions, type StreamRequest } from "../src/index.js";

export const FAKE = fileURLToPath(new URL("sidecar.js", import.meta.url));

/** Returns options that start the fake sidecar. */
export function fake(options: SidecarOptions = {}, ...flags: string[]): SidecarOptions {
  return { command: process.execPath, args: [FAKE, ...flags], ...options };
}

/** Runs the test with a client of the fake sidecar, which is closed at the end. */
export function withSidecar(test: (sidecar: Sidecar) => Promise<void>, options: SidecarOptions = {}) {
  return async (): Promise<void> => {
    const sidecar = await Sidecar.start(fake(options));
    try {
      await test(sidecar);
    } finally {
      await sidecar.close();
    }
  };
}

/** Returns a question to which the fake sidecar says the words of the text. */
export function saying(text: string): StreamRequest {
  return { messages: [{ role: "user", content: text }] };
}
