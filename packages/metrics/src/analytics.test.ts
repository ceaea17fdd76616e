import { nanosFromMillis, type SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { expect, test } from "vitest";
import { computeAnalytics } from "./analytics.ts";
import { computeDailyCosts, costItems } from "./daily-costs.ts";
import { currentSpans } from "./effective-execution.ts";
import { type ExecutionStats, executionStats } from "./execution-stats.ts";
import { historyArbitrary, spanIdOf, ZONES } from "./history.test-support.ts";
import { summarizeExecution } from "./summarize-execution.ts";

const NOON = Date.UTC(2026, 10, 20, 12);
const day = { days: 1, timeZone: "UTC", lastDay: "2026-11-20" } as const;

function statsOf(spans: readonly SpanRecord[]): ExecutionStats[] {
  return [...new Set(spans.map((span) => span.executionId))].map((id) =>
    executionStats(
      summarizeExecution(id, spans, 1),
      spans.filter((span) => span.executionId === id),
    ),
  );
}

function analyticsOf(spans: readonly SpanRecord[], groupBy?: "day" | "workflow" | "nodeType" | "model") {
  return computeAnalytics({ ...day, ...(groupBy && { groupBy }) }, statsOf(spans), costItems(spans), NOON);
}

/** A run of a minute with two nodes and a model call each. */
function run(id: string, workflowId: string, status: "completed" | "failed" | "running"): SpanRecord[] {
  const traceId = id.repeat(32);
  const at = (seconds: number) => nanosFromMillis(NOON + seconds * 1000);
  const base = { traceId, executionId: `run-${id}`, workflowId } as const;
  const end = status === "running" ? undefined : at(60);
  const call = { kind: "llm", model: "chat", provider: "harbor", usage: { input: 5 } } as const;
  return [
    makeSpan({
      ...base,
      spanId: spanIdOf(1),
      kind: "workflow",
      executionStatus: status,
      startTime: at(0),
      endTime: end,
    }),
    ...[2, 3].flatMap((number) => {
      const node = {
        nodeId: `node-${number}`,
        nodeType: number === 2 ? "agent" : "loader",
        parentSpanId: spanIdOf(1),
      };
      const times = { startTime: at(number), endTime: at(number + 10) };
      return [
        makeSpan({ ...base, ...node, ...times, spanId: spanIdOf(number), kind: "node" }),
        makeSpan({
          ...base,
          ...call,
          nodeId: node.nodeId,
          parentSpanId: spanIdOf(number),
          spanId: spanIdOf(number + 10),
          cost: { nanoUsd: number, source: "computed" },
          startTime: at(number),
          endTime: at(number + 4),
        }),
      ];
    }),
  ];
}

test("counts executions by what became of them, and measures those that ended", () => {
  const spans = [...run("a", "w1", "completed"), ...run("b", "w1", "failed"), ...run("c", "w2", "running")];
  const { total, groups } = analyticsOf(spans, "workflow");
  expect(total.executions).toEqual({ total: 3, byStatus: { completed: 1, failed: 1, running: 1 } });
  expect([total.usage.input, total.cost.nanoUsd, total.latency.count]).toEqual([30, 15, 2]);
  expect(Math.abs((total.latency.p50Ms ?? 0) / 60_000 - 1)).toBeLessThan(0.045);
  expect(
    groups.map(({ key, executions, latency, cost }) => [key, executions?.total, latency.count, cost.nanoUsd]),
  ).toEqual([
    ["w1", 2, 2, 10],
    ["w2", 1, 0, 5],
  ]);
});

test("node types add up the nodes of ended executions, models the calls", () => {
  const spans = [...run("a", "w1", "completed"), ...run("c", "w2", "running")];
  const types = analyticsOf(spans, "nodeType").groups;
  expect(
    types.map(({ key, cost, usage, executions, latency }) => [
      key,
      cost.nanoUsd,
      usage.input,
      executions,
      latency.count,
    ]),
  ).toEqual([
    ["loader", 3, 5, undefined, 1],
    ["agent", 2, 5, undefined, 1],
  ]);
  expect(Math.abs((types[0]?.latency.p99Ms ?? 0) / 10_000 - 1)).toBeLessThan(0.045);
  const models = analyticsOf(spans, "model").groups;
  expect(models.map(({ key, cost, latency }) => [key, cost.nanoUsd, latency.count])).toEqual([
    ["harbor/chat", 10, 2],
  ]);
});

test("an execution whose process was lost counts as such, and nobody says how long it took", () => {
  const [root, ...rest] = run("a", "w1", "completed") as [SpanRecord, ...SpanRecord[]];
  const { total } = analyticsOf([{ ...root, syntheticEnd: "process_lost" }, ...rest]);
  expect(total.executions).toEqual({ total: 1, byStatus: { lost: 1 } });
  expect(total.latency).toEqual({ count: 0 });
});

test("only one workflow, days without any, and a window that leaves the rest out", () => {
  const spans = [...run("a", "w1", "completed"), ...run("b", "w2", "completed")];
  const query = {
    days: 3,
    timeZone: "Pacific/Auckland",
    lastDay: "2026-11-22",
    groupBy: "day",
    workflowId: "w2",
  } as const;
  const { groups, total } = computeAnalytics(query, statsOf(spans), costItems(spans), NOON);
  // Noon in UTC is one in the morning of the next day there.
  expect(groups.map(({ key, executions, cost }) => [key, executions?.total, cost.nanoUsd])).toEqual([
    ["2026-11-20", 0, undefined],
    ["2026-11-21", 1, 5],
    ["2026-11-22", 0, undefined],
  ]);
  expect(total.executions?.total).toBe(1);
  const before = computeAnalytics({ ...day, lastDay: "2026-11-19" }, statsOf(spans), costItems(spans), NOON);
  expect([before.total.executions?.total, before.total.cost.priced, before.total.latency.count]).toEqual([
    0, 0, 0,
  ]);
});

test("agrees with daily costs, and every group by what executions fall into adds up to the total", () => {
  fc.assert(
    fc.property(historyArbitrary, fc.constantFrom(...ZONES), (history, timeZone) => {
      const spans = currentSpans(history);
      const window = { days: 9, timeZone, lastDay: "2026-04-02" };
      const items = costItems(spans);
      const costs = computeDailyCosts(window, items, NOON);
      const byDay = computeAnalytics({ ...window, groupBy: "day" }, statsOf(spans), items, NOON);
      expect(byDay.groups.map(({ key, usage, cost }) => ({ key, usage, cost }))).toEqual(
        costs.days.map(({ day: key, usage, cost }) => ({ key, usage, cost })),
      );
      const byWorkflow = computeAnalytics({ ...window, groupBy: "workflow" }, statsOf(spans), items, NOON);
      for (const { total, groups } of [byDay, byWorkflow]) {
        const sum = (of: (row: (typeof groups)[number]) => number): number =>
          groups.reduce((all, row) => all + of(row), 0);
        expect(sum((row) => row.executions?.total ?? 0)).toBe(total.executions?.total);
        expect(sum((row) => row.latency.count)).toBe(total.latency.count);
        expect(sum((row) => row.cost.nanoUsd ?? 0)).toBe(total.cost.nanoUsd ?? 0);
      }
    }),
    { numRuns: 100 },
  );
});

test("refuses a group that is none", () => {
  const query = { ...day, groupBy: "status" } as unknown as Parameters<typeof computeAnalytics>[0];
  expect(() => computeAnalytics(query, [], [], NOON)).toThrow(
    expect.objectContaining({ code: "invalid_argument" }),
  );
});
