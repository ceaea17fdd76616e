import {
  type DailyCostsQuery,
  emptyCostSum,
  isSpanloomError,
  mergeCostSums,
  type SpanRecord,
} from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { equal, ok, present, rejects } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { createRandom } from "./random.ts";
import { randomHistory } from "./random-history.ts";
import { at, call, root, span, TRACE, traceIdOf } from "./spans.ts";

/** Zones with clock changes at odd hours, odd offsets, and days that do not begin at midnight. */
const ZONES = [
  "UTC",
  "Europe/Prague",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "America/St_Johns",
  "America/Santiago",
  "Asia/Kolkata",
  "Pacific/Apia",
  "America/Los_Angeles",
  "Australia/Eucla",
  "Africa/Cairo",
];

/** Costs by day and runs by stage, compared with the reference. */
export function analyticsParity({ test }: Chapter): void {
  for (const seed of [1, 2, 3]) {
    test(`history ${seed}: daily costs in every zone are the reference's, and lose nothing`, async (opened) => {
      const store = opened.forScope("scope");
      const expected = new Expected();
      for (const batch of randomHistory(seed + 500).batches) {
        await store.write(batch);
        expected.add(batch);
      }
      const total = emptyCostSum();
      for (const item of (await store.listExecutions({ limit: 500 })).items) mergeCostSums(total, item.cost);
      for (const timeZone of ZONES) {
        // March 24 to April 6: every span of the history, and the clock changes of the season.
        const query: DailyCostsQuery = { days: 14, timeZone, lastDay: "2026-04-06" };
        for (const asked of variants(query)) {
          equal(await store.getDailyCosts(asked), expected.dailyCosts(asked), JSON.stringify(asked));
        }
        const sum = emptyCostSum();
        for (const day of (await store.getDailyCosts(query)).days) mergeCostSums(sum, day.cost);
        equal(sum, total, `all days in ${timeZone} and all executions`);
      }
    });
  }

  test("autumn's day of 25 hours and a date that a zone never had", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const hours = Array.from({ length: 24 * 6 }, (_, hour) =>
      call(hour + 1, 999, hour + 1, { startTime: hourly("2026-10-23T00:30:00Z", hour), endTime: undefined }),
    );
    const skipped = Array.from({ length: 24 * 4 }, (_, hour) =>
      call(hour + 301, 999, hour + 1, {
        startTime: hourly("2011-12-28T10:00:00Z", hour),
        endTime: undefined,
      }),
    );
    await store.write([...hours, ...skipped]);
    expected.add([...hours, ...skipped]);
    const queries = [
      { days: 6, timeZone: "Europe/Berlin", lastDay: "2026-10-28" },
      { days: 6, timeZone: "Atlantic/Azores", lastDay: "2026-10-28" },
      { days: 5, timeZone: "Pacific/Apia", lastDay: "2012-01-01" },
    ];
    for (const query of queries) {
      equal(await store.getDailyCosts(query), expected.dailyCosts(query), JSON.stringify(query));
    }
  });

  test("a span belongs to the day of its start, to the nanosecond", async (opened) => {
    const store = opened.forScope("scope");
    const midnight = BigInt(Date.UTC(2026, 10, 19, 23)) * 1_000_000n;
    await store.write([
      call(1, 99, 1, { startTime: String(midnight - 1n), endTime: at(99_999) }),
      call(2, 99, 2, { startTime: String(midnight), endTime: at(99_999) }),
    ]);
    const { days } = await store.getDailyCosts({ days: 2, timeZone: "Europe/Berlin", lastDay: "2026-11-20" });
    equal(
      days.map(({ day, usage, cost }) => [day, usage.input, cost.nanoUsd]),
      [
        ["2026-11-19", 1, 1000],
        ["2026-11-20", 2, 2000],
      ],
      "days",
    );
  });

  test("costs follow an execution whose workflow becomes known late", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const query: DailyCostsQuery = { days: 2, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" };
    const steps: SpanRecord[][] = [
      [call(2, 1, 10), call(3, 1, 20, { model: undefined })],
      [root("run-1", 1, { traceId: TRACE, workflowId: "late" })],
      [root("run-1", 1, { traceId: TRACE, workflowId: "corrected", revision: 1 })],
    ];
    for (const step of steps) {
      await store.write(step);
      expected.add(step);
      for (const asked of [
        ...variants(query),
        { ...query, workflowId: "late" },
        { ...query, workflowId: "corrected" },
      ]) {
        equal(await store.getDailyCosts(asked), expected.dailyCosts(asked), JSON.stringify(asked));
      }
    }
  });

  test("unknown stays unknown: tokens without price, price without tokens", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([
      root("run-1", 1, { traceId: TRACE }),
      call(2, 1, 10, { cost: undefined, usage: { output: 3 }, provider: undefined }),
      span(3, 1, { kind: "tool", cost: { nanoUsd: 5, source: "reported" } }),
    ]);
    const query: DailyCostsQuery = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "model" };
    const [day] = (await store.getDailyCosts(query)).days;
    const known = { input: 0, output: 1, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 };
    equal(day?.usage, { items: 1, known, output: 3 }, "usage of the day");
    equal(day?.cost, { nanoUsd: 5, priced: 1, unpriced: 1 }, "cost of the day");
    equal(
      day?.groups.map(({ key, cost }) => [key, cost]),
      [
        ["", { nanoUsd: 5, priced: 1, unpriced: 0 }],
        ["harbor-chat-4", { priced: 0, unpriced: 1 }],
      ],
      "groups",
    );
  });

  test("days without any cost are there; today is the last where none is named", async (opened) => {
    const store = opened.forScope("scope");
    const empty = await store.getDailyCosts({ days: 400, timeZone: "Asia/Tokyo", lastDay: "2026-11-20" });
    equal(empty.days.length, 400, "days");
    ok(
      empty.days.every((day) => day.cost.priced === 0 && day.usage.items === 0 && day.groups.length === 0),
      "a day of an empty store has something in it",
    );
    const todayIn = (zone: string): string => new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format();
    for (const timeZone of ["Pacific/Kiritimati", "Pacific/Pago_Pago"]) {
      const before = todayIn(timeZone);
      const { days } = await store.getDailyCosts({ days: 1, timeZone });
      // Midnight may pass between the two looks at the clock.
      ok([before, todayIn(timeZone)].includes(days[0]?.day ?? ""), `today in ${timeZone} is ${before}`);
    }
  });

  test("zones and days that are none are refused", async (opened) => {
    const store = opened.forScope("scope");
    for (const timeZone of ["Europe/Atlantis", "", "+05:37", "'; --", "UTC\u0000", "x".repeat(64)]) {
      const asked = store.getDailyCosts({ days: 1, timeZone });
      await rejects(() => asked, "invalid_time_zone", `time zone ${timeZone.slice(0, 40)}`);
    }
    for (const days of [0, -1, 401, 1.5, Number.NaN]) {
      await rejects(() => store.getDailyCosts({ days, timeZone: "UTC" }), "invalid_argument", `${days} days`);
    }
    for (const lastDay of ["2026-02-30", "yesterday", "2026-1-1", "", "2026-11-20T00:00:00Z", "0000-01-01"]) {
      const query = { days: 1, timeZone: "UTC", lastDay };
      await rejects(() => store.getDailyCosts(query), "invalid_argument", `last day "${lastDay}"`);
    }
    try {
      await store.getDailyCosts({ days: 1, timeZone: "Europe/Atlantis" });
    } catch (error) {
      ok(isSpanloomError(error) && error.fix !== undefined, "the error does not say how to mend it");
    }
  });

  test("run metrics: attempts, a running stage, cache by keyspace", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const node = { kind: "node", nodeId: "load", nodeType: "loader" } as const;
    const steps: SpanRecord[][] = [
      [root("run-1", 1, { traceId: TRACE, endTime: undefined, executionStatus: "running" })],
      [
        span(2, 1, { ...node, attempt: 1, status: { code: "error" } }),
        span(9, 1, { nodeId: "sum", kind: "node" }),
      ],
      [span(3, 1, { ...node, attempt: 2, endTime: undefined }), call(4, 3, 70, { nodeId: "load" })],
      [span(5, 4, { kind: "cache", cache: [{ keyspace: "b:*", hits: 0, misses: 0 }] })],
      [
        span(6, 4, {
          kind: "cache",
          cache: [
            { keyspace: "a:*", hits: 3, misses: 1 },
            { keyspace: "__proto__", hits: 0, misses: 2 },
          ],
        }),
      ],
      [
        span(7, 4, {
          traceId: traceIdOf(2),
          nodeId: "load",
          attempt: 3,
          cache: [{ keyspace: "a:*", hits: 1, misses: 0 }],
        }),
      ],
      [span(3, 1, { ...node, attempt: 2 })],
    ];
    for (const step of steps) {
      await store.write(step);
      expected.add(step);
      await checkExecution(store, expected, "run-1");
    }
    const metrics = present(await store.getRunMetrics("run-1"), "the metrics");
    equal(
      metrics.mcpCache?.keyspaces.map((one) => [one.keyspace, one.ratio]),
      [
        ["__proto__", 0],
        ["a:*", 0.8],
        ["b:*", undefined],
      ],
      "keyspaces",
    );
    equal(
      metrics.stages.map((stage) => [stage.nodeId, stage.attempts, stage.status]),
      [
        ["load", 3, "completed"],
        ["sum", 1, "completed"],
      ],
      "stages",
    );
  });

  test("many nodes, models and attempts in one execution", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const spans = makeTrace({ spans: 900, executionId: "run-1", failureRate: 0.1, seed: 11 });
    expected.add(spans);
    for (const part of chunks(createRandom(11).shuffled(spans), 90)) await store.write(part);
    await checkExecution(store, expected, "run-1");
    const [first] = spans;
    const lastDay = new Date(Number(BigInt(first?.startTime ?? 0) / 1_000_000n) + 86_400_000)
      .toISOString()
      .slice(0, 10);
    for (const query of variants({ days: 3, timeZone: "America/New_York", lastDay })) {
      equal(await store.getDailyCosts(query), expected.dailyCosts(query), JSON.stringify(query));
    }
  });
}

function variants(query: DailyCostsQuery): DailyCostsQuery[] {
  return [
    query,
    { ...query, groupBy: "workflow" },
    { ...query, groupBy: "model" },
    { ...query, groupBy: "model", workflowId: "workflow-1" },
  ];
}

function hourly(from: string, hour: number): string {
  return `${Date.parse(from) + hour * 3_600_000}000000`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
