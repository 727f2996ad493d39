import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../src/inbox.js";

const all = (event: number): number => event;
const even = (event: number): number | undefined => (event % 2 === 0 ? event : undefined);

test("events are read in their order, before and after they are awaited", async () => {
  const inbox = new Inbox<number>();
  inbox.push(1);
  assert.deepEqual(await inbox.next(all), { value: 1, done: false });
  const awaited = [inbox.next(all), inbox.next(all)];
  inbox.push(2);
  inbox.push(3);
  assert.deepEqual(await Promise.all(awaited), [
    { value: 2, done: false },
    { value: 3, done: false },
  ]);
});

test("what a reader does not select is passed over, queued or awaited", async () => {
  const inbox = new Inbox<number>();
  for (const event of [1, 2]) inbox.push(event);
  assert.deepEqual(await inbox.next(even), { value: 2, done: false });
  const awaited = inbox.next(even);
  for (const event of [3, 4]) inbox.push(event);
  assert.deepEqual(await awaited, { value: 4, done: false });
});

test("an error comes after the events before it, and once", async () => {
  const inbox = new Inbox<number>();
  inbox.push(1);
  inbox.end(new Error("gone"));
  assert.deepEqual(await inbox.next(all), { value: 1, done: false });
  await assert.rejects(inbox.next(all), /gone/);
  assert.deepEqual(await inbox.next(all), { value: undefined, done: true });
});

test("an end reaches whoever waits", async () => {
  const inbox = new Inbox<number>();
  const awaited = [inbox.next(all), inbox.next(all)];
  inbox.end();
  for (const read of awaited) assert.deepEqual(await read, { value: undefined, done: true });
});

test("a reader that lags behind gets everything in order", async () => {
  const inbox = new Inbox<number>();
  const seen: number[] = [];
  for (let event = 0; event < 10_000; event += 1) {
    inbox.push(event);
    if (event % 3 !== 0) seen.push((await inbox.next(all)).value as number);
  }
  assert.equal(inbox.unread, 3_334);
  assert.deepEqual(seen, [...Array(6_666).keys()]);
  for (let event = 6_666; event < 10_000; event += 1) assert.equal((await inbox.next(all)).value, event);
});
