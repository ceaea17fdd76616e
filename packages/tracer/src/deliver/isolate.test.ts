import fc from "fast-check";
import { expect, test } from "vitest";
import { isolate, type Outcome } from "./isolate.ts";

/** Another end that takes records but for the bad ones, and may go away after some calls. */
function otherEnd(bad: ReadonlySet<number>, callsUntilOutage = Number.POSITIVE_INFINITY) {
  const stored: number[] = [];
  let calls = 0;
  const attempt = async (part: readonly number[]): Promise<Outcome> => {
    if (++calls > callsUntilOutage) return "outage";
    if (part.some((record) => bad.has(record))) return "refused";
    stored.push(...part);
    return "taken";
  };
  return { stored, attempt, calls: () => calls };
}

test("every record ends up exactly once: stored, poison or to be tried again; good ones are never called poison", async () => {
  const history = fc.record({
    size: fc.integer({ min: 1, max: 60 }),
    bad: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 6 }),
    calls: fc.integer({ min: 0, max: 80 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ size, bad, calls }) => {
      const batch = Array.from({ length: size }, (_, index) => index);
      const end = otherEnd(new Set(bad), calls);
      const { retry, poison } = await isolate(batch, end.attempt);
      expect([...end.stored, ...retry, ...poison].toSorted((a, b) => a - b)).toEqual(batch);
      expect(poison.filter((record) => !bad.includes(record))).toEqual([]);
    }),
  );
});

test("one bad record among 500 is found in a few dozen calls", async () => {
  const end = otherEnd(new Set([321]));
  const batch = Array.from({ length: 500 }, (_, index) => index);
  expect(await isolate(batch, end.attempt)).toEqual({ retry: [], poison: [321] });
  expect(end.stored).toHaveLength(499);
  expect(end.calls()).toBeLessThan(30);
});

test("when nothing at all is taken nobody is to blame, and that is found out soon", async () => {
  const batch = Array.from({ length: 500 }, (_, index) => index);
  const end = otherEnd(new Set(batch));
  const { retry, poison } = await isolate(batch, end.attempt);
  expect(poison).toEqual([]);
  expect(retry).toHaveLength(500);
  expect(end.calls()).toBeLessThan(20);
});
