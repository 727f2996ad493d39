import assert from "node:assert/strict";
import { test } from "node:test";
import { clientStalled, connectionClosed, requestCancelled, sidecarNotFound } from "../src/errors.js";
import { ERRORS, SidecarError } from "../src/index.js";

test("an error tells all that the sidecar said of it", () => {
  const partial = { role: "assistant" as const, content: "Hel" };
  const data = { type: "rate_limited", category: "ai", retryable: true, retry_after_ms: 1500, partial, param: "n" };
  const error = new SidecarError({ code: 1204, message: "Too many requests.", data });
  assert.equal(`${error}`, "SidecarError: Too many requests.");
  const { type, category, retryable, retryAfterMs, code } = error;
  assert.deepEqual(
    { type, category, retryable, retryAfterMs, code },
    { type: "rate_limited", category: "ai", retryable: true, retryAfterMs: 1500, code: 1204 },
  );
  assert.equal(error.partial, partial);
  assert.equal(error.data, data);
});

test("what was not said, or said to be null, is undefined", () => {
  const data = { type: "x-new", category: "x-odd", retryable: false, retry_after_ms: null, partial: null };
  const error = new SidecarError({ code: 1, message: "New.", data });
  assert.equal(error.retryAfterMs, undefined);
  assert.equal(error.partial, undefined);
});

test("the client's own errors have the same shape", () => {
  const own = [sidecarNotFound("a"), connectionClosed("b"), requestCancelled("c"), clientStalled(10)];
  assert.deepEqual(
    own.map(({ type, category, retryable }) => [type, category, retryable]),
    [
      ["sidecar_not_found", "config", false],
      ["connection_closed", "protocol", true],
      ["request_cancelled", "protocol", false],
      ["client_stalled", "protocol", true],
    ],
  );
  assert.equal(connectionClosed("b").code, ERRORS.connection_closed.code);
});
