/** What a host may choose, and what holds where it does not. */

import type { ClientInfo } from "./protocol.js";

/** The options of {@link Sidecar.start}. */
export interface SidecarOptions {
  /** The executable. Without it: `$LLM_SIDECAR`, then beside or below the app, then on the `PATH`. */
  command?: string | undefined;
  /** The sidecar's flags. */
  args?: readonly string[] | undefined;
  /** Variables added to the host's environment. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The folder that the sidecar runs in. */
  cwd?: string | undefined;
  /** The app; its name is the one under which keys are kept. */
  clientInfo?: ClientInfo | undefined;
  /** Takes each line of the sidecar's log, and what the client has to say of lines that it cannot read. */
  onLog?: ((line: string) => void) | undefined;
  /** Whether a sidecar that ended by itself is started anew at the next call; true where not given. */
  restart?: boolean | undefined;
  /** How long the start may take; 10 s where not given. */
  startTimeoutMs?: number | undefined;
  /** How long the sidecar may take to end before it is terminated; 5 s where not given. */
  stopGraceMs?: number | undefined;
  /** How long a cancelled call waits for its reply; 2 s where not given. */
  cancelGraceMs?: number | undefined;
  /** The longest line that is read; 256 MiB where not given. */
  maxLineBytes?: number | undefined;
  /** How many events of a stream may be left unread; 100,000 where not given. */
  maxUnreadEvents?: number | undefined;
}

/** The options with nothing left open but what may be absent. */
export interface Settings {
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
  readonly clientInfo: ClientInfo;
  readonly restart: boolean;
  readonly startTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly cancelGraceMs: number;
  readonly maxLineBytes: number;
  readonly maxUnreadEvents: number;
  readonly log: (line: string) => void;
}

/** Returns the options with the defaults put in. */
export function settings(options: SidecarOptions): Settings {
  return {
    command: options.command,
    args: options.args ?? [],
    env: options.env ?? {},
    cwd: options.cwd,
    clientInfo: options.clientInfo ?? { name: "llm-sidecar" },
    restart: options.restart ?? true,
    startTimeoutMs: options.startTimeoutMs ?? 10_000,
    stopGraceMs: options.stopGraceMs ?? 5_000,
    cancelGraceMs: options.cancelGraceMs ?? 2_000,
    maxLineBytes: options.maxLineBytes ?? 256 * 1024 * 1024,
    maxUnreadEvents: options.maxUnreadEvents ?? 100_000,
    log: logging(options.onLog),
  };
}

/** Returns the callback such that what it throws is the host's own uncaught exception, and stops no reading. */
function logging(onLog: SidecarOptions["onLog"]): (line: string) => void {
  return (line) => {
    try {
      onLog?.(line);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
