import { existsSync } from "node:fs";
import type { PruneReport, SpanRecord } from "@spanloom/model";
import { makeSpan, makeTrace } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { Expected } from "../../testing/expected.ts";
import { checkSums, own, run } from "../../testing/old-runs.ts";
import { at, call, root, span, traceIdOf } from "../../testing/spans.ts";
import { createSqliteStore } from "../sqlite.ts";
import { openConnection } from "./connection.ts";
import type { SqliteDriverName } from "./driver.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { PruneStep } from "./prune.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";

const file = temporaryFiles();
const NEVER = "9000000000000000000";
const window = { days: 3, timeZone: "UTC", lastDay: "2026-11-21" };

test("a large execution goes in steps, and what others write in between need not wait for it", async () => {
  const path = file("large.db");
  const store = createSqliteStore({ path, retention: false });
  const scope = store.forScope("scope");
  await scope.write(makeTrace({ spans: 4000, executionId: "large" }));
  const ended: string[] = [];
  const pruning = store.prune({ before: NEVER }).then((report) => {
    ended.push("prune");
    return report;
  });
  const writing = scope.write([makeSpan({ startTime: NEVER })]).then(() => ended.push("write"));
  const [report] = await Promise.all([pruning, writing]);
  expect(ended).toEqual(["write", "prune"]);
  expect(report).toEqual({ executions: 1, spans: 4000, more: false } satisfies PruneReport);
  expect((await scope.listExecutions()).items.map((item) => item.executionId)).toEqual(["execution-1"]);
  expect((await scope.recompute()).corrected).toEqual([]);
  await store.close();
  expect(rowsOf(path)).toMatchObject({ span: 1, exec_node: 0, span_gap: 0 });
});

test("a store that closes ends what it had begun, and opens nothing again", async () => {
  for (const worker of [true, false]) {
    const path = file(`closing-${worker}.db`);
    const store = createSqliteStore({ path, worker, retention: false });
    await store.forScope("scope").write(makeTrace({ spans: 3000, executionId: "large" }));
    const pruning = store.prune({ before: NEVER });
    const asked = expect(pruning).rejects.toMatchObject({ code: "store_closed" });
    await store.close();
    await asked;
    // The last connection takes the log away with it.
    expect(existsSync(`${path}-wal`)).toBe(false);
    const again = createSqliteStore({ path, worker, retention: false });
    await again.prune({ before: NEVER });
    await again.close();
    expect(rowsOf(path)).toMatchObject({ execution: 0, span: 0 });
  }
});

test("what a process left half swept is not seen, harms no number, and goes with the next prune", () => {
  for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
    const path = file(`half-${driver.length}.db`);
    const options = { path, durability: "process-crash", migrations: "run", driver } as const;
    const large = makeTrace({ spans: 900, executionId: "large" });
    let engine = createEngine(openConnection(options));
    engine.write("scope", large);
    expect(removed(engine, NEVER)).toEqual(["large"]);
    engine.close();

    engine = createEngine(openConnection(options));
    expect(rowsOf(path, driver).span).toBe(900);
    expect(engine.getTrace("scope", "large", {})).toBeUndefined();
    expect(engine.recompute("scope")).toEqual({ executions: 0, corrected: [] });
    // The same ids again: a new execution and a new trace, of which the sweep takes nothing.
    const again = large.map((one) => ({ ...one, startTime: NEVER, endTime: NEVER }));
    engine.write("scope", again.slice(0, 100));
    while (engine.sweep());
    engine.write("scope", again.slice(100));
    expect(engine.getExecution("scope", "large")?.spanCount).toBe(900);
    expect(engine.recompute("scope")).toEqual({ executions: 1, corrected: [] });
    expect(rowsOf(path, driver)).toMatchObject({ span: 900, execution: 1, trace: 1 });
    engine.close();
  }
});

test("a number is not given again, so that nobody takes a new execution for an old one", () => {
  const path = file("numbers.db");
  const engine = createEngine(openConnection({ path, durability: "process-crash", migrations: "run" }));
  for (let round = 0; round < 5; round++) {
    engine.write("scope", run(`run-${round}`, 100 * (round + 1)));
    expect(removed(engine, at(100 * (round + 1) + 50))).toEqual([`run-${round}`]);
    while (engine.sweep());
  }
  engine.write("scope", run("run-last", 900));
  while (engine.sweep());
  const db = openConnection({ path, durability: "process-crash", migrations: "run" });
  const number = (sql: string): unknown => (db.database.prepare(sql).get() as [unknown])[0];
  expect(number("SELECT max(exec_no) FROM execution")).toBe(6);
  expect(number("SELECT max(trace_no) FROM trace")).toBe(6);
  expect(rowsOf(path)).toMatchObject({ span: 3, execution: 1, trace: 1, exec_trace: 1, exec_stats: 0 });
  db.close();
  engine.close();
});

test("a deletion holds in a trace whose other executions were pruned", async () => {
  const store = createSqliteStore({ path: ":memory:", worker: false, retention: false });
  const scope = store.forScope("scope");
  const unnamed = traceIdOf(100);
  await scope.write([...run("run-1", 100), span(150, 100, { ...own("run-2", 100) })]);
  expect(await scope.deleteExecution("run-1")).toBe(true);
  expect((await store.prune({ before: at(200) })).executions).toBe(1);
  const late = await scope.write([
    span(300, undefined, { traceId: unnamed, executionId: unnamed }),
    span(301, undefined, { traceId: unnamed, executionId: "run-2" }),
    span(160, undefined, { traceId: unnamed, executionId: unnamed }),
    call(161, 100, 7, own("run-1", 100)),
  ]);
  expect(late.rejected.map(({ index, code }) => [index, code])).toEqual([
    [0, "deleted_execution"],
    [2, "deleted_execution"],
    [3, "deleted_execution"],
  ]);
  expect((await scope.getExecution("run-2"))?.spanCount).toBe(1);
  await store.close();
});

test("old spans join what the same write brings, in any order; refused ones leave nothing behind", async () => {
  const trace = traceIdOf(500);
  const recent = span(500, undefined, { traceId: trace, executionId: trace });
  const old = [
    span(120, 500, { traceId: trace, executionId: trace }),
    span(121, 500, { traceId: trace, executionId: "run-named" }),
    root("run-named", 122, { traceId: traceIdOf(122) }),
    span(123, 122, { traceId: traceIdOf(122), executionId: traceIdOf(122) }),
  ];
  const stray = [
    root("run-stray", 130),
    span(131, undefined, { traceId: traceIdOf(131), executionId: traceIdOf(131) }),
  ];
  const orders: SpanRecord[][] = [
    [recent, ...old, ...stray],
    [...old, ...stray, recent],
    [...stray, ...old.toReversed(), recent],
  ];
  for (const [index, order] of orders.entries()) {
    const path = file(`joins-${index}.db`);
    const store = createSqliteStore({ path, worker: false, retention: false });
    const scope = store.forScope("scope");
    await scope.prune({ before: at(200) });
    // run-named is there by a span that is not old.
    await scope.write([span(600, undefined, { traceId: trace, executionId: "run-named" })]);
    const receipt = await scope.write(order);
    const refused = receipt.rejected.map(({ index: place }) => order[place]);
    expect(new Set(refused)).toEqual(new Set(stray));
    expect(receipt.rejected.every(({ code }) => code === "past_retention")).toBe(true);
    expect((await scope.getExecution("run-named"))?.spanCount).toBe(6);
    expect((await scope.recompute()).corrected).toEqual([]);
    await store.close();
    expect(rowsOf(path)).toMatchObject({ execution: 1, trace: 2 });
  }
});

test("what comes late for a day whose sums were dropped adds nothing to it, in any way", async () => {
  const store = createSqliteStore({ path: ":memory:", worker: false, retention: false });
  const scope = store.forScope("scope");
  const day = 86_400;
  const long = root("run-long", 100, { ...own("run-long", 100), endTime: at(3 * day) });
  await scope.write([long, call(101, 100, 5, own("run-long", 100)), ...run("run-old", 200)]);
  await scope.prune({ before: at(2 * day), sumsBefore: at(2 * day) });
  await checkSums(scope, new Expected(), window);
  expect((await scope.listExecutions()).items.map((item) => item.executionId)).toEqual(["run-long"]);
  await scope.write([
    call(102, 100, 9, own("run-long", 100)),
    { ...long, workflowId: "another", revision: 1 },
    call(101, 100, 50, { ...own("run-long", 100), revision: 1 }),
  ]);
  await checkSums(scope, new Expected(), window);
  expect((await scope.recompute()).corrected).toEqual([]);
  expect((await scope.getExecution("run-long"))?.usage.input).toBe(59);
  expect(await scope.deleteExecution("run-long")).toBe(true);
  await checkSums(scope, new Expected(), window);
  expect((await scope.recompute()).corrected).toEqual([]);
  await store.close();
});

test("a store removes what is past its retention by itself, and says what goes wrong", async () => {
  const path = file("by-itself.db");
  const first = createSqliteStore({ path, retention: false });
  const longAgo = { startTime: "1000000000000000000", endTime: "1000000001000000000" };
  await first.forScope("scope").write([makeSpan(longAgo)]);
  await first.close();
  const store = createSqliteStore({ path });
  const left = async (): Promise<number> => (await store.forScope("scope").listExecutions()).items.length;
  await expect.poll(left, { timeout: 20_000 }).toBe(0);
  await store.close();

  const problems: string[] = [];
  const lost = createSqliteStore({
    path: file("no/folder.db"),
    onProblem: ({ code }) => problems.push(code),
  });
  await expect.poll(() => problems, { timeout: 20_000 }).toEqual(["store_failed"]);
  await lost.close();
  for (const retention of [{ spanDays: 0 }, { spanDays: 100, sumDays: 90 }]) {
    expect(() => createSqliteStore({ path, retention })).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});

/** Prunes step by step, and sweeps nothing. */
function removed(engine: Engine, before: string): string[] {
  const ids: string[] = [];
  let step: PruneStep | undefined;
  do {
    step = engine.prune("scope", { before, limit: 10, ...(step?.position && { after: step.position }) });
    ids.push(...step.removed);
  } while (step.position !== undefined);
  return ids;
}

/** How many rows each table has. Read by the driver that holds the file open: two of them in one process undo each other's locks. */
function rowsOf(path: string, driver: SqliteDriverName = "node:sqlite"): Record<string, number> {
  const db = openConnection({ path, durability: "process-crash", migrations: "run", driver });
  const count = (table: string, where: string): number =>
    (db.database.prepare(`SELECT count(*) FROM ${table} ${where}`).get() as [number])[0];
  const rows: Record<string, number> = {};
  for (const table of ["execution", "trace"]) rows[table] = count(table, "WHERE scope_no > 0");
  for (const table of [
    "span",
    "exec_trace",
    "exec_node",
    "exec_stats",
    "exec_usage",
    "span_gap",
    "span_gone",
  ]) {
    rows[table] = count(table, "");
  }
  db.close();
  return rows;
}
