import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "../src/lines.js";

const READ_BYTES = 64 * 1024;
const AMPLE = 1 << 30;

function split(pieces: Iterable<Buffer>, maxBytes = AMPLE): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line.toString()));
  for (const piece of pieces) splitter.push(piece);
  return lines;
}

test("lines are the same wherever reads end", () => {
  const bytes = Buffer.from("é𝄞\r\n\nU+2028 \u2028 and \u0085 stay\r\n\r\r\nlast\n");
  const expected = ["é𝄞", "", "U+2028 \u2028 and \u0085 stay", "\r", "last"];
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(split(pieces), expected);
    }
  }
  assert.deepEqual(split(Array.from(bytes, (byte) => Buffer.from([byte]))), expected);
});

test("what has no end yet is no line", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(AMPLE, (line) => lines.push(line.toString()));
  splitter.push(Buffer.from("one\ntwo"));
  assert.deepEqual(lines, ["one"]);
  splitter.end();
  assert.deepEqual(lines, ["one", "two"]);
});

test("a line of any length is copied once", (context) => {
  const concat = context.mock.method(Buffer, "concat");
  const bytes = Buffer.alloc(10 * 1024 * 1024, "x");
  const reads = Array.from({ length: bytes.length / READ_BYTES }, (_, index) =>
    bytes.subarray(index * READ_BYTES, (index + 1) * READ_BYTES),
  );
  const [line] = split([...reads, Buffer.from("\nnext\n")]);
  assert.equal(line?.length, bytes.length);
  assert.equal(concat.mock.callCount(), 1);
});

test("of a line that is too long the beginning is left, and that it was is known at once", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(4, (line) => lines.push(line.toString()));
  splitter.push(Buffer.from("1234\n123"));
  assert.equal(splitter.overlong, false);
  splitter.push(Buffer.from("45"));
  assert.equal(splitter.overlong, true);
  splitter.push(Buffer.from("6\nab\n"));
  assert.deepEqual(lines, ["1234", "1234", "ab"]);
});
