import { expect, test } from "vitest";
import { createAlarm } from "./alarm.ts";

/** Longer than a test may take: only a ring or the signal ends such a sleep. */
const FOREVER_MS = 3_600_000;

test("a ring ends the sleep", async () => {
  const alarm = createAlarm(new AbortController().signal);
  const sleep = alarm.sleep(FOREVER_MS);
  alarm.ring();
  await expect(sleep).resolves.toBeUndefined();
});

test("a ring while nobody sleeps is kept for the next sleep, and for that one only", async () => {
  const ending = new AbortController();
  const alarm = createAlarm(ending.signal);
  alarm.ring();
  alarm.ring();
  await alarm.sleep(FOREVER_MS);
  let woken = false;
  const second = alarm.sleep(FOREVER_MS).then(() => {
    woken = true;
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(woken).toBe(false);
  ending.abort();
  await second;
});

test("an ended signal lets nobody sleep", async () => {
  const alarm = createAlarm(AbortSignal.abort());
  await expect(alarm.sleep(FOREVER_MS)).resolves.toBeUndefined();
});

test("time ends a sleep, too", async () => {
  await expect(createAlarm(new AbortController().signal).sleep(1)).resolves.toBeUndefined();
});
