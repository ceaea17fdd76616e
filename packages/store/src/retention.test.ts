import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PruneReport, PruneRequest, SpanloomError } from "@spanloom/model";
import { expect, test } from "vitest";
import { keepRetention, type RetentionClock } from "./retention.ts";

const NOW_MS = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;

/** A clock that stands still until it is moved; `moveTo` runs the next timer when it is due. */
function createClock(): RetentionClock & {
  nextDelayMs(): number | undefined;
  runNext(): Promise<void>;
  tick(ms: number): void;
} {
  let nowMs = NOW_MS;
  let next: { delayMs: number; run: () => void } | undefined;
  return {
    nowMs: () => nowMs,
    after(delayMs, run) {
      const mine = { delayMs, run };
      next = mine;
      return () => {
        if (next === mine) next = undefined;
      };
    },
    nextDelayMs: () => next?.delayMs,
    tick(ms) {
      nowMs += ms;
    },
    async runNext() {
      const due = next;
      next = undefined;
      nowMs += due?.delayMs ?? 0;
      due?.run();
      await new Promise(setImmediate);
    },
  };
}

function report(more: boolean): PruneReport {
  return { executions: 1, spans: 1, more };
}

test("prunes at once in steps until nothing is left, then every hour", async () => {
  const clock = createClock();
  const asked: PruneRequest[] = [];
  const answers = [report(true), report(true), report(false), report(false)];
  keepRetention({
    prune: async (request) => {
      asked.push(request);
      return answers.shift() ?? report(false);
    },
    retention: { spanDays: 30, sumDays: 60 },
    clock,
  });
  expect(clock.nextDelayMs()).toBe(0);
  await clock.runNext();
  await clock.runNext();
  await clock.runNext();
  expect(asked).toHaveLength(3);
  const beforeMs = NOW_MS - 30 * DAY_MS;
  const sumsMs = NOW_MS - 60 * DAY_MS;
  // All steps of a round ask the same, whatever time passes meanwhile.
  for (const request of asked) {
    expect(request).toMatchObject({ before: `${beforeMs}000000`, sumsBefore: `${sumsMs}000000` });
  }
  expect(clock.nextDelayMs()).toBe(3_600_000);
  await clock.runNext();
  expect(Number(BigInt(asked[3]?.before ?? 0) / 1_000_000n)).toBeGreaterThanOrEqual(beforeMs + 3_600_000);
});

test("keeps spans for 90 days and sums for 800 where nothing is said, and sums never for less than spans", async () => {
  for (const [retention, spanDays, sumDays] of [
    [undefined, 90, 800],
    [{ spanDays: 1_000 }, 1_000, 1_000],
  ] as const) {
    const clock = createClock();
    let asked: PruneRequest | undefined;
    keepRetention({
      prune: async (request) => {
        asked = request;
        return report(false);
      },
      retention,
      clock,
    });
    await clock.runNext();
    expect(asked?.before).toBe(`${NOW_MS - spanDays * DAY_MS}000000`);
    expect(asked?.sumsBefore).toBe(`${NOW_MS - sumDays * DAY_MS}000000`);
  }
});

test("a slow step makes the next one smaller, and writes get as much time as it took", async () => {
  const clock = createClock();
  const limits: (number | undefined)[] = [];
  keepRetention({
    prune: async ({ limit }) => {
      limits.push(limit);
      clock.tick(400);
      return report(true);
    },
    retention: {},
    clock,
  });
  for (let step = 0; step < 7; step++) {
    await clock.runNext();
    expect(clock.nextDelayMs()).toBe(400);
  }
  expect(limits).toEqual([200, 100, 50, 25, 12, 10, 10]);
});

test("a failure is told, also where the host's own function throws, and tried again within the hour", async () => {
  const clock = createClock();
  const problems: SpanloomError[] = [];
  let calls = 0;
  keepRetention({
    prune: async () => {
      calls++;
      throw new Error("disk on fire");
    },
    retention: {},
    onProblem: (problem) => void problems.push(problem),
    clock,
  });
  await clock.runNext();
  expect(problems.map(({ code, why }) => [code, why])).toEqual([["store_failed", "disk on fire"]]);
  expect(clock.nextDelayMs()).toBe(3_600_000);
  await clock.runNext();
  expect(calls).toBe(2);
});

test("stop waits for the step under way, starts no other and tells of no failure", async () => {
  const clock = createClock();
  let finish = (_: PruneReport): void => {};
  const problems: unknown[] = [];
  const retention = keepRetention({
    prune: () => new Promise((resolve) => (finish = resolve)),
    retention: {},
    onProblem: (problem) => void problems.push(problem),
    clock,
  });
  await clock.runNext();
  let stopped = false;
  const stopping = retention.stop().then(() => {
    stopped = true;
  });
  await new Promise(setImmediate);
  expect(stopped).toBe(false);
  finish(report(true));
  await stopping;
  expect(clock.nextDelayMs()).toBeUndefined();
  expect(problems).toEqual([]);
});

test("false keeps everything", async () => {
  const clock = createClock();
  const retention = keepRetention({ prune: async () => report(false), retention: false, clock });
  expect(clock.nextDelayMs()).toBeUndefined();
  await retention.stop();
});

test.each([{ spanDays: 0 }, { spanDays: Number.NaN }, { spanDays: 90, sumDays: 30 }])(
  "%j is refused",
  (retention) => {
    expect(() => keepRetention({ prune: async () => report(false), retention })).toThrow(/retention\./);
  },
);

test("by the system's clock it starts by itself and keeps no process alive", async () => {
  const script = `
    import { keepRetention } from ${JSON.stringify(new URL("./retention.ts", import.meta.url).href)};
    keepRetention({ retention: {}, prune: async () => { console.log("pruned"); return { executions: 0, spans: 0, more: false }; } });
    setImmediate(() => setTimeout(() => {}, 50));
  `;
  const args = ["--conditions=@spanloom/source", "--input-type=module", "--eval", script];
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  // It ends by itself, or the time-out makes this fail.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
  expect(stdout.trim()).toBe("pruned");
});
