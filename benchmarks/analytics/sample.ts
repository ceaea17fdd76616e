import {
  addCost,
  addUsage,
  type CostGroupSum,
  type DailyCost,
  type DailyCosts,
  type ExecutionSummary,
  emptyCostSum,
  emptyUsageSum,
  nanosFromMillis,
  type Page,
} from "@spanloom/model";

const DAY_MS = 86_400_000;
const LAST_DAY = Date.parse("2026-11-20T00:00:00Z");

/** Daily costs of so many days with so many groups in each, different from day to day. */
export function sampleCosts(days: number, groups: number): DailyCosts {
  return {
    timeZone: "UTC",
    groupBy: "workflow",
    days: Array.from({ length: days }, (_, index): DailyCost => {
      const start = LAST_DAY - (days - 1 - index) * DAY_MS;
      const sums = Array.from({ length: groups }, (_, group): CostGroupSum => {
        const sum = { key: `workflow-${group + 1}`, usage: emptyUsageSum(), cost: emptyCostSum() };
        addCost(sum.cost, 1_000_000 * (1 + ((index * 7 + group * 13) % 40)));
        addUsage(sum.usage, { input: 900, output: 120 });
        return sum;
      });
      const day = { usage: emptyUsageSum(), cost: emptyCostSum() };
      for (const { cost } of sums) addCost(day.cost, cost.nanoUsd);
      return {
        day: new Date(start).toISOString().slice(0, 10),
        startTime: nanosFromMillis(start),
        endTime: nanosFromMillis(start + DAY_MS),
        ...day,
        groups: sums.sort((a, b) => (b.cost.nanoUsd ?? 0) - (a.cost.nanoUsd ?? 0)),
      };
    }),
  };
}

/** A page of finished executions. */
export function samplePage(rows: number): Page<ExecutionSummary> {
  return {
    nextCursor: "more",
    items: Array.from({ length: rows }, (_, index): ExecutionSummary => {
      const start = LAST_DAY - index * 3_000_000;
      const cost = emptyCostSum();
      addCost(cost, 31_200_000 + index * 1_000_003);
      return {
        executionId: `execution-${index}`,
        workflowId: `workflow-${index % 8}`,
        workflowName: `Workflow ${index % 8}`,
        status: index % 9 === 0 ? "failed" : "completed",
        traceIds: [index.toString(16).padStart(32, "0")],
        startTime: nanosFromMillis(start),
        endTime: nanosFromMillis(start + 6_200 + index * 131),
        durationMs: 6_200 + index * 131,
        spanCount: 40,
        openSpanCount: 0,
        errorCount: 0,
        nodeCount: 3 + (index % 7),
        usage: emptyUsageSum(),
        cost,
        seq: 1,
      };
    }),
  };
}
