import {
  computeAnalytics,
  costItems,
  currentSpans,
  executionStats,
  summarizeExecution,
} from "@spanloom/metrics";
import { ANALYTICS_GROUPS, type ScopedStore, type SpanRecord } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { Expected } from "../../testing/expected.ts";
import { randomHistory } from "../../testing/index.ts";
import { checkSums } from "../../testing/old-runs.ts";
import { createRandom } from "../../testing/random.ts";
import { createSqliteStore } from "../sqlite.ts";
import { openConnection } from "./connection.ts";
import { createEngine, type Engine } from "./engine.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";

const file = temporaryFiles();
const window = { days: 14, timeZone: "Europe/Prague", lastDay: "2026-04-06" };

test("analytics are exact at any moment, whatever was settled before", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed);
    const store = createSqliteStore({ path: ":memory:", worker: false, retention: false });
    const scope = store.forScope("scope");
    const expected = new Expected();
    for (const batch of randomHistory(seed).batches) {
      await scope.write(batch);
      expected.add(batch);
      if (random.chance(0.5)) await checkSome(scope, expected, random.int(5));
    }
    await checkSums(scope, expected, window);
    expect((await scope.recompute()).corrected, `seed ${seed}`).toEqual([]);
    await checkSums(scope, expected, window);
    await store.close();
  }
});

test("many executions are settled in steps, and another one's writes go in between", async () => {
  // A worker would have settled some of it by then.
  const store = createSqliteStore({ path: file("steps.db"), retention: false, worker: false });
  const scope = store.forScope("scope");
  const runs = Array.from({ length: 400 }, (_, number) => someRuns(number, 1));
  await scope.write(runs.slice(0, 300).flat());
  const lastDay = dayOf(runs[0]?.[0] as SpanRecord);
  const query = { days: 3, timeZone: "UTC", lastDay, groupBy: "nodeType" } as const;
  const ended: string[] = [];
  const asked = scope.getAnalytics(query).then((answer) => {
    ended.push("analytics");
    return answer;
  });
  const wrote = scope.write(runs.slice(300).flat()).then(() => ended.push("write"));
  const [answer] = await Promise.all([asked, wrote]);
  // One step would not have ended before the write began.
  expect(ended).toEqual(["write", "analytics"]);
  expect(answer.total.executions?.total).toBe(400);
  const stats = runs.map((spans) =>
    executionStats(summarizeExecution(spans[0]?.executionId ?? "", spans, 0), spans),
  );
  expect(await scope.getAnalytics(query)).toEqual(
    computeAnalytics(
      query,
      stats,
      runs.flatMap((spans) => costItems(spans)),
      0,
    ),
  );
  await store.close();
});

test("where nothing can be written, what is behind is worked out for the answer alone", async () => {
  for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
    for (const seed of [3, 4, 5, 6]) {
      const path = file(`unwritable-${driver.length}-${seed}.db`);
      const db = openConnection({ path, durability: "process-crash", migrations: "run", driver });
      const engine = createEngine(db);
      const expected = new Expected();
      const { batches } = randomHistory(seed);
      for (const [index, batch] of batches.entries()) {
        engine.write("scope", batch);
        expected.add(batch);
        // Part of it is settled, and changes again.
        if (index === Math.floor(batches.length / 2)) while (engine.settle());
      }
      db.database.exec("PRAGMA query_only = ON");
      checkEngine(engine, expected);
      db.database.exec("PRAGMA query_only = OFF");
      checkEngine(engine, expected);
      engine.close();
    }
  }
});

test("a large execution is read in parts, also while it changes", () => {
  const spans = makeTrace({ spans: 6000, executionId: "large", seed: 4 });
  const [first] = spans as [SpanRecord, ...SpanRecord[]];
  const lastDay = dayOf(first);
  const query = { days: 2, timeZone: "UTC", lastDay, groupBy: "model" } as const;
  for (const changes of [0, 1, 5]) {
    const path = file(`parts-${changes}.db`);
    const engine = createEngine(openConnection({ path, durability: "process-crash", migrations: "run" }));
    engine.write("scope", spans);
    const calls = spans.filter((span) => span.kind === "llm").slice(0, changes);
    const changed = calls.map((call) => ({ ...call, model: "another", revision: 9 }));
    let answer = engine.getAnalytics("scope", query);
    for (const record of changed) {
      engine.write("scope", [record]);
      answer = engine.getAnalytics("scope", query);
    }
    while (answer === undefined) answer = engine.getAnalytics("scope", query);
    const now = currentSpans([...spans, ...changed]);
    const stats = [executionStats(summarizeExecution("large", now, 0), now)];
    expect(answer).toEqual(computeAnalytics(query, stats, costItems(now), 0));
    expect(engine.recompute("scope").corrected).toEqual([]);
    engine.close();
  }
});

test("a worker settles what was written, with nothing to do and with calls that never end", async () => {
  for (const callers of [0, 4]) {
    const path = file(`settled-by-itself-${callers}.db`);
    const store = createSqliteStore({ path, retention: false });
    const scope = store.forScope("scope");
    for (let seed = 0; seed < 600; seed += 20) await scope.write(someRuns(seed, 20));
    let over = false;
    const calling = Array.from({ length: callers }, async () => {
      while (!over) await scope.listExecutions();
    });
    const db = openConnection({ path, durability: "process-crash", migrations: "run" });
    const behind = (): number =>
      (db.database.prepare("SELECT count(*) FROM execution WHERE stats_seq < seq").get() as [number])[0];
    try {
      await expect.poll(behind, { timeout: 20_000 }).toBe(0);
    } finally {
      over = true;
      await Promise.all(calling);
      db.close();
      await store.close();
    }
  }
});

test("what nobody waits for waits for no other writer, and goes on after it", () => {
  const path = file("held.db");
  const options = { path, durability: "process-crash", migrations: "run" } as const;
  const engine = createEngine(openConnection(options));
  engine.write("scope", someRuns(0, 20));
  const other = openConnection(options);
  other.write(() => expect(() => engine.settle()).toThrow("locked"));
  other.close();
  while (engine.settle());
  const query = { days: 3, timeZone: "UTC", lastDay: dayOf(someRuns(0, 1)[0] as SpanRecord) };
  expect(engine.getAnalytics("scope", query)?.total.executions?.total).toBe(20);
  engine.close();
});

function someRuns(from: number, count: number): SpanRecord[] {
  return Array.from({ length: count }, (_, index) =>
    makeTrace({ spans: 12, executionId: `run-${from + index}`, seed: from + index }),
  ).flat();
}

function dayOf({ startTime }: SpanRecord): string {
  return new Date(Number(BigInt(startTime) / 1_000_000n)).toISOString().slice(0, 10);
}

async function checkSome(scope: ScopedStore, expected: Expected, which: number): Promise<void> {
  const groupBy = ANALYTICS_GROUPS[which];
  const query = {
    ...window,
    ...(groupBy && { groupBy }),
    ...(which % 2 === 0 && { workflowId: "workflow-1" }),
  };
  expect(await scope.getAnalytics(query)).toEqual(expected.analytics(query));
}

function checkEngine(engine: Engine, expected: Expected): void {
  for (const groupBy of [undefined, ...ANALYTICS_GROUPS]) {
    for (const workflowId of [undefined, "workflow-1", "workflow-9"]) {
      const query = { ...window, ...(groupBy && { groupBy }), ...(workflowId && { workflowId }) };
      let answer = engine.getAnalytics("scope", query);
      while (answer === undefined) answer = engine.getAnalytics("scope", query);
      expect(answer).toEqual(expected.analytics(query));
    }
  }
}
