/** When a sidecar that keeps ending is started anew. */

/** A sidecar that ends sooner than this after its handshake has failed. */
export const STABLE_MS = 10_000;
/** The pause before the second restart in a row; it doubles with each that follows. */
export const FIRST_PAUSE_MS = 250;
export const LONGEST_PAUSE_MS = 8_000;
/** So many failures in a row end the tries … */
export const MAX_FAILURES = 5;
/** … for so long. */
export const REST_MS = 30_000;

/** Counts failures in a row, and says how long to wait after them. Times are milliseconds of one clock. */
export class Backoff {
  #failures = 0;
  #lastEnd = -Infinity;

  /** Takes note that there was no handshake. */
  failed(now: number): void {
    this.#failures += 1;
    this.#lastEnd = now;
  }

  /** Takes note of an end, and of when the handshake before it was. */
  ended(now: number, handshake: number): void {
    if (now - handshake >= STABLE_MS) this.#failures = 0;
    else this.failed(now);
  }

  /** Returns how long to wait until the next try, or undefined where it is too early to try at all. */
  pause(now: number): number | undefined {
    const since = now - this.#lastEnd;
    if (this.#failures >= MAX_FAILURES) return since < REST_MS ? undefined : 0;
    if (this.#failures <= 1) return 0;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 2), LONGEST_PAUSE_MS);
    return Math.max(0, pause - since);
  }
}
