import { mergeCostSums, mergeUsageSums, nanosFromMillis } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { expect, test } from "vitest";
import { computeDailyCosts, costItems, modelKey } from "./daily-costs.ts";
import { currentSpans } from "./effective-execution.ts";
import { historyArbitrary, ZONES } from "./history.test-support.ts";
import { summarizeExecution } from "./summarize-execution.ts";
import { emptySums } from "./sums.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

test("in any zone, days, and groups within them, add up to what the executions say", () => {
  fc.assert(
    fc.property(historyArbitrary, fc.constantFrom(...ZONES), (history, timeZone) => {
      const spans = currentSpans(history);
      const total = emptySums();
      for (const id of new Set(spans.map((span) => span.executionId))) {
        const { usage, cost } = summarizeExecution(id, spans, 1);
        mergeUsageSums(total.usage, usage);
        mergeCostSums(total.cost, cost);
      }
      for (const groupBy of ["workflow", "model"] as const) {
        const query = { days: 9, timeZone, lastDay: "2026-04-02", groupBy };
        const days = emptySums();
        const groups = emptySums();
        for (const day of computeDailyCosts(query, costItems(spans), NOW).days) {
          mergeUsageSums(days.usage, day.usage);
          mergeCostSums(days.cost, day.cost);
          for (const group of day.groups) {
            mergeUsageSums(groups.usage, group.usage);
            mergeCostSums(groups.cost, group.cost);
          }
        }
        expect(days).toEqual(total);
        expect(groups).toEqual(total);
      }
    }),
    { numRuns: 200 },
  );
});

test("a cost falls on the day of its span's start, and days without any are there", () => {
  const midnight = Date.UTC(2026, 10, 18, 23);
  const items = [midnight - 1, midnight].map((millis) => ({
    startTime: nanosFromMillis(millis),
    model: "m",
    contribution: { nanoUsd: 5, unpriced: false },
  }));
  const { days } = computeDailyCosts({ days: 3, timeZone: "Europe/Berlin" }, items, NOW);
  expect(days.map(({ day, cost, groups }) => [day, cost, groups])).toEqual([
    ["2026-11-18", { nanoUsd: 5, priced: 1, unpriced: 0 }, []],
    ["2026-11-19", { nanoUsd: 5, priced: 1, unpriced: 0 }, []],
    ["2026-11-20", { priced: 0, unpriced: 0 }, []],
  ]);
  expect(days[1]?.startTime).toBe(nanosFromMillis(midnight));
});

test("groups come with the largest known cost first, unknown last, and by key between equals", () => {
  const item = (model: string, nanoUsd: number | undefined) => ({
    startTime: nanosFromMillis(NOW),
    model,
    contribution: { ...(nanoUsd !== undefined && { nanoUsd }), unpriced: nanoUsd === undefined },
  });
  const items = [item("unknown", undefined), item("b", 5), item("", 0), item("a", 5), item("most", 9)];
  const { days } = computeDailyCosts({ days: 1, timeZone: "UTC", groupBy: "model" }, items, NOW);
  expect(days[0]?.groups.map((group) => group.key)).toEqual(["most", "a", "b", "", "unknown"]);
});

test("the workflow is the execution's, also for spans that say another or none", () => {
  const root = makeSpan({ kind: "workflow", workflowId: "real" });
  const call = { parentSpanId: root.spanId, kind: "llm", usage: { input: 1 } } as const;
  const items = costItems([
    root,
    makeSpan({ ...call, spanId: "00000000000000b1", workflowId: "said" }),
    makeSpan({ ...call, spanId: "00000000000000b2" }),
  ]);
  expect(items.map((item) => item.workflowId)).toEqual(["real", "real"]);
});

test("a model is named with its provider, alone, or not at all", () => {
  expect(modelKey({ provider: "harbor", model: "chat" })).toBe("harbor/chat");
  expect(modelKey({ model: "chat" })).toBe("chat");
  expect(modelKey({ provider: "harbor" })).toBe("");
});
