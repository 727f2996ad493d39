import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, FIRST_PAUSE_MS, MAX_FAILURES, REST_MS, STABLE_MS } from "../src/backoff.js";

test("pauses grow from nothing, and count from the last end", () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: MAX_FAILURES }, () => {
    const pause = backoff.pause(1_000);
    backoff.failed(1_000);
    return pause;
  });
  assert.deepEqual(pauses, [0, 0, FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS, 4 * FIRST_PAUSE_MS]);
});

test("time that has passed anyway is part of the pause", () => {
  const backoff = new Backoff();
  for (const now of [0, 100, 200]) backoff.failed(now);
  assert.equal(backoff.pause(300), 2 * FIRST_PAUSE_MS - 100);
  assert.equal(backoff.pause(5_000), 0);
});

test("after too many failures there is no try until a rest has passed", () => {
  const backoff = new Backoff();
  for (let failure = 0; failure < MAX_FAILURES; failure += 1) backoff.failed(failure);
  const last = MAX_FAILURES - 1;
  assert.equal(backoff.pause(last + REST_MS - 1), undefined);
  assert.equal(backoff.pause(last + REST_MS), 0);
  backoff.failed(last + REST_MS);
  assert.equal(backoff.pause(last + REST_MS + 1), undefined);
});

test("a sidecar that has lived long enough has not failed", () => {
  const backoff = new Backoff();
  for (let failure = 1; failure < MAX_FAILURES; failure += 1) backoff.failed(0);
  backoff.ended(STABLE_MS, 0);
  assert.equal(backoff.pause(STABLE_MS), 0);
  backoff.ended(STABLE_MS + 1, STABLE_MS);
  assert.equal(backoff.pause(STABLE_MS + 1), 0);
  backoff.ended(STABLE_MS + 2, STABLE_MS + 1);
  assert.equal(backoff.pause(STABLE_MS + 2), FIRST_PAUSE_MS);
});
