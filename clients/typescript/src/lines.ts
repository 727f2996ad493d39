/** Lines of bytes, which end at 0x0A and nowhere else. */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Puts lines together from reads of any size; of a line that is too long, its beginning. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #deliver: (line: Buffer) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  #overlong = false;

  constructor(maxBytes: number, deliver: (line: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#deliver = deliver;
  }

  /** Whether a line has been longer than the limit. */
  get overlong(): boolean {
    return this.#overlong;
  }

  /** Takes the next bytes, and delivers each line that they end, without its end. */
  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#keep(bytes.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  /** Delivers what is left without an end. */
  end(): void {
    if (this.#size > 0) this.#flush();
  }

  #keep(bytes: Buffer): void {
    const room = this.#maxBytes - this.#size;
    if (bytes.length > room) this.#overlong = true;
    const piece = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  #flush(): void {
    const [first] = this.#pieces;
    const line = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    this.#deliver(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line);
  }
}
