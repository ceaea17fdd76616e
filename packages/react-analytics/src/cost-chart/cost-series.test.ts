import { expect, test } from "vitest";
import { call, cents, storeWith } from "../panel.test-support.tsx";
import { type CostSeries, costSeries, OTHER } from "./cost-series.ts";

const query = { days: 14, timeZone: "Europe/Berlin", lastDay: "2026-11-20" } as const;

test("splits twice the period into what is shown and what it is compared with", async () => {
  const store = await storeWith([
    call("2026-11-20", 1, cents(5)),
    call("2026-11-14", 2, cents(7)),
    call("2026-11-13", 3, cents(4)),
  ]);
  const series = costSeries(await store.getDailyCosts(query), 7, "2026-11-20");
  expect(series.bars).toHaveLength(7);
  expect(series.bars.map(({ partial }) => partial)).toEqual([...Array(6).fill(false), true]);
  expect(series.total.nanoUsd).toBe(120_000_000);
  expect(series.before.nanoUsd).toBe(40_000_000);
  expect(series.unpricedShare).toBe(0);
});

test("a group without any price stays unknown, and is not 0", async () => {
  const series = await byWorkflow([
    call("2026-11-20", 1, cents(5)),
    call("2026-11-20", 2, { workflowId: "briefs" }),
  ]);
  const today = series.bars.at(-1);
  expect(today?.parts.get("invoices")).toMatchObject({ nanoUsd: 50_000_000 });
  expect(today?.parts.get("briefs")).toEqual({ priced: 0, unpriced: 1 });
  expect(series.unpricedShare).toBe(0.5);
});

test("the dearest groups keep a colour each, the others share one", async () => {
  const series = await byWorkflow(
    Array.from({ length: 9 }, (_, index) =>
      call("2026-11-20", index + 1, { workflowId: `w${index + 1}`, ...cents(index + 1) }),
    ),
  );
  expect(series.keys).toEqual(["w9", "w8", "w7", "w6", "w5", OTHER]);
  expect(series.totals.get(OTHER)?.nanoUsd).toBe(100_000_000);
  expect(series.bars.at(-1)?.parts.get(OTHER)).toMatchObject({ nanoUsd: 100_000_000, priced: 4 });
});

test("a workflow may be called like a part of every object", async () => {
  const series = await byWorkflow([call("2026-11-20", 1, { workflowId: "__proto__", ...cents(5) })]);
  expect(series.bars.at(-1)?.parts.get("__proto__")?.nanoUsd).toBe(50_000_000);
});

async function byWorkflow(spans: Parameters<typeof storeWith>[0]): Promise<CostSeries> {
  const store = await storeWith(spans);
  return costSeries(await store.getDailyCosts({ ...query, groupBy: "workflow" }), 7, "2026-11-20");
}
