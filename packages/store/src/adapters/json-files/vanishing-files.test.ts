import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { nanosFromMillis, type SpanloomError, type SpanRecord, type TraceStore } from "@spanloom/model";
import { makeSpan, makeTrace } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createJsonFilesStore } from "../json-files.ts";
import { newFolder } from "./harness.test-support.ts";

const FIRST_DAY = Date.UTC(2026, 2, 1, 12);
const DAY_MS = 86_400_000;

let folder: string;
const closing: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: FIRST_DAY });
  folder = await newFolder();
});
afterEach(async () => {
  for (const store of closing.splice(0)) await store.close();
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

function open(onProblem?: (problem: SpanloomError) => void): TraceStore {
  const store = createJsonFilesStore({ folder, retention: false, ...(onProblem && { onProblem }) });
  closing.push(store);
  return store;
}

async function filesOf(kind: "executions" | "spans"): Promise<string[]> {
  const [scope = ""] = (await readdir(folder)).filter((name) => !name.startsWith("."));
  return (await readdir(join(folder, scope, kind))).sort().map((file) => join(folder, scope, kind, file));
}

function run(day: number): SpanRecord[] {
  const startMs = FIRST_DAY + day * DAY_MS;
  return makeTrace({ spans: 20, seed: day + 1 }).map((span) => ({
    ...span,
    executionId: `run-${day}`,
    traceId: (day + 1).toString(16).padStart(32, "0"),
    startTime: nanosFromMillis(startMs),
    endTime: nanosFromMillis(startMs + 1000),
  }));
}

test("pruning removes the files in which nothing holds any more, and what they said beside it stays true", async () => {
  const store = open();
  const scope = store.forScope("scope");
  await scope.write([makeSpan({ executionId: "deleted", traceId: "d".repeat(32) })]);
  await scope.deleteExecution("deleted");
  for (let day = 0; day < 10; day++) {
    vi.setSystemTime(FIRST_DAY + day * DAY_MS);
    await scope.write(run(day));
  }
  const costs = { days: 10, timeZone: "UTC", lastDay: "2026-03-10", groupBy: "model" } as const;
  const analytics = { days: 10, timeZone: "UTC", lastDay: "2026-03-10" } as const;
  const before = { costs: await scope.getDailyCosts(costs), analytics: await scope.getAnalytics(analytics) };
  const bytes = await sizes();
  await store.prune({ before: nanosFromMillis(FIRST_DAY + 6 * DAY_MS) });

  // Of six days the files are gone, but that of the first day, which says that an execution was deleted.
  const days = (files: string[]): string[] => files.map((file) => file.split("/").at(-1)?.slice(8, 10) ?? "");
  expect(days(await filesOf("spans"))).toEqual(["07", "08", "09", "10"]);
  expect(days(await filesOf("executions"))).toEqual(["01", "07", "08", "09", "10"]);
  expect(await sizes()).toBeLessThan(bytes * 0.6);

  for (const reader of [scope, open().forScope("scope")]) {
    expect((await reader.listExecutions()).items.map((one) => one.executionId)).toEqual(
      [9, 8, 7, 6].map((day) => `run-${day}`),
    );
    expect(await reader.getDailyCosts(costs)).toEqual(before.costs);
    expect(await reader.getAnalytics(analytics)).toEqual(before.analytics);
    const late = await reader.write([
      makeSpan({ executionId: "deleted", traceId: "d".repeat(32), spanId: "e".repeat(16) }),
      ...run(2),
    ]);
    expect(late.rejected.map((one) => one.code)).toEqual([
      "deleted_execution",
      ...Array(20).fill("past_retention"),
    ]);
  }
  expect((await scope.recompute()).corrected).toEqual([]);
});

test("a reader whose files another process removes meanwhile sees what is left, and no error", async () => {
  const writer = open();
  for (let day = 0; day < 6; day++) {
    vi.setSystemTime(FIRST_DAY + day * DAY_MS);
    await writer.forScope("scope").write(run(day));
  }
  const problems: SpanloomError[] = [];
  const reader = open((problem) => problems.push(problem)).forScope("scope");
  // It knows all executions, and where their spans stand.
  const { items } = await reader.listExecutions();
  expect(items).toHaveLength(6);
  for (const { executionId } of items) await reader.getTrace(executionId);
  const reading = (async () => {
    for (let round = 0; round < 5; round++) {
      for (const { executionId } of items) {
        const page = await reader.getTrace(executionId, { view: "full" });
        for (const span of page?.spans ?? []) expect(span.executionId).toBe(executionId);
      }
    }
  })();
  await writer.prune({ before: nanosFromMillis(FIRST_DAY + 4 * DAY_MS) });
  await reading;
  expect((await reader.listExecutions()).items.map((one) => one.executionId)).toEqual(["run-5", "run-4"]);
  expect(await reader.getTrace("run-0")).toBeUndefined();
  expect(problems).toEqual([]);
});

test("a file of spans that somebody took away is reported, and everything else is read", async () => {
  const store = open();
  for (let day = 0; day < 3; day++) {
    vi.setSystemTime(FIRST_DAY + day * DAY_MS);
    await store.forScope("scope").write(run(day));
  }
  const [, second = ""] = await filesOf("spans");
  await rm(second);
  const problems: SpanloomError[] = [];
  const scope = open((problem) => problems.push(problem)).forScope("scope");
  expect((await scope.listExecutions()).items).toHaveLength(3);
  expect((await scope.getTrace("run-0"))?.spans).toHaveLength(20);
  await scope.getTrace("run-1");
  expect(problems[0]?.message).toContain(second);
  expect((await scope.getTrace("run-2"))?.spans).toHaveLength(20);
});

async function sizes(): Promise<number> {
  const files = [...(await filesOf("spans")), ...(await filesOf("executions"))];
  const each = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return each.reduce((sum, size) => sum + size, 0);
}
