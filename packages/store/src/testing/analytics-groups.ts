import { ANALYTICS_GROUPS, type AnalyticsQuery, type SpanRecord } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { equal, present, rejects } from "./assert.ts";
import { Expected } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { createRandom } from "./random.ts";
import { randomHistory } from "./random-history.ts";
import { at, call, root, span, TRACE, traceIdOf } from "./spans.ts";

const ZONES = ["UTC", "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];
const DAY: AnalyticsQuery = { days: 2, timeZone: "UTC", lastDay: "2026-11-20" };

/** What ran, what it cost and how long it took, compared with the reference. */
export function analyticsGroups({ test, needs, histories }: Chapter): void {
  for (let seed = 1; seed <= Math.max(1, Math.floor(histories / 6)); seed++) {
    test(`history ${seed}: analytics by every group are the reference's, on the way and at the end`, async (opened) => {
      const store = opened.forScope("scope");
      const random = createRandom(seed);
      const expected = new Expected();
      const { batches } = randomHistory(seed + 900);
      for (const [index, batch] of batches.entries()) {
        await store.write(batch);
        expected.add(batch);
        const last = index === batches.length - 1;
        if (!last && random.chance(0.8)) continue;
        for (const timeZone of last ? ZONES : [random.pick(ZONES)]) {
          const query = { days: 14, timeZone, lastDay: "2026-04-06" };
          await check(store, expected, query, { ...query, workflowId: "workflow-1" });
        }
      }
    });
  }

  test("a window cuts off what started before and after it, to the quarter-hour", async (opened) => {
    const { store, expected } = await started(opened.forScope("scope"));
    for (const timeZone of ["Europe/Berlin", "Atlantic/Azores", "Asia/Kathmandu", "Pacific/Chatham"]) {
      for (const days of [1, 2, 6]) await check(store, expected, { days, timeZone, lastDay: "2026-10-26" });
    }
  });

  test("an execution's life: everything it adds moves and changes with it", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const first = root("run-1", 1, { traceId: TRACE, endTime: at(50), threadId: "thread-1" });
    const { endTime, ...running } = { ...first, executionStatus: "running" as const };
    const node = { kind: "node", nodeId: "load", nodeType: "loader" } as const;
    const steps: SpanRecord[][] = [
      [call(3, 2, 40, { executionId: TRACE, nodeId: "load" })],
      [span(2, 1, { ...node, executionId: TRACE, endTime: undefined })],
      [running],
      [span(2, 1, { ...node, endTime: at(9) }), call(4, 1, 7, { endTime: undefined, model: "other" })],
      [{ ...first, endTime: at(60), syntheticEnd: "process_lost", executionStatus: "lost" }],
      [first],
      [{ ...call(4, 1, 7, { model: "other" }), syntheticEnd: "timed_out" }],
      [{ ...first, revision: 1, startTime: at(-90_000), workflowId: "workflow-2" }],
      [{ ...first, revision: 2, executionStatus: "failed", workflowId: undefined }],
      [span(2, 1, { ...node, endTime: at(9), nodeType: "writer", revision: 3 })],
      [call(3, 2, 40, { executionId: "run-2", nodeId: "load", revision: 1 })],
      [root("run-2", 70, { executionStatus: "cancelled", endTime: at(71) })],
    ];
    for (const step of steps) {
      await store.write(step);
      expected.add(step);
      await check(store, expected, DAY, { ...DAY, workflowId: "workflow-2" });
    }
  });

  test("executions by status, and how long they took, in figures", async (opened) => {
    const store = opened.forScope("scope");
    const durations = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024];
    const ended = durations.map((ms, index) =>
      root(`run-${index}`, index + 1, { endTime: at(index + 1 + ms / 1000) }),
    );
    const rest = [
      root("run-failed", 20, { executionStatus: "failed", endTime: at(22) }),
      root("run-open", 21, { executionStatus: "running", endTime: undefined }),
    ];
    await store.write([...ended, ...rest]);
    const { total, groups } = await store.getAnalytics({ ...DAY, groupBy: "workflow" });
    equal(
      total.executions,
      { total: 12, byStatus: { completed: 10, failed: 1, running: 1 } },
      "executions by status",
    );
    const { count, p50Ms, p99Ms } = total.latency;
    equal(
      [count, Math.round(p50Ms ?? 0), Math.round(p99Ms ?? 0)],
      [11, 33, 1_961],
      "ended executions, their median and their slowest",
    );
    equal(
      groups.map((group) => [group.key, group.executions?.total]),
      [["workflow-1", 12]],
      "groups",
    );
  });

  test("many executions of many workflows, nodes and models add up", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    for (let seed = 1; seed <= 12; seed++) {
      const spans = makeTrace({
        ...{ spans: 60, seed, executionId: `run-${seed}`, workflowId: `workflow-${seed % 4}` },
        ...{ startTime: at(seed * 9_000), failureRate: 0.2 },
      });
      await store.write(spans);
      expected.add(spans);
    }
    await check(store, expected, { ...DAY, lastDay: "2026-11-21" });
  });

  needs("administration")("a deleted execution adds nothing any more", async (opened) => {
    const { store } = await started(opened.forScope("scope"));
    const expected = new Expected();
    const stays = [
      root("run-stays", 900),
      call(901, 900, 5, { executionId: "run-stays", traceId: traceIdOf(900) }),
    ];
    await store.write(stays);
    expected.add(stays);
    for (const { executionId } of (await store.listExecutions({ limit: 500 })).items) {
      if (executionId !== "run-stays") await store.deleteExecution?.(executionId);
    }
    await check(store, expected, DAY, { days: 60, timeZone: "UTC", lastDay: "2026-11-20" });
  });

  test("where nothing ran there are days, and no other group", async (opened) => {
    const store = opened.forScope("scope");
    await check(store, new Expected(), DAY, { days: 400, timeZone: "Asia/Tokyo", lastDay: "2026-11-20" });
    const byDay = await store.getAnalytics({ ...DAY, groupBy: "day" });
    equal(
      byDay.groups.map(({ key, executions, latency }) => [key, executions?.total, latency]),
      [
        ["2026-11-19", 0, { count: 0 }],
        ["2026-11-20", 0, { count: 0 }],
      ],
      "days of an empty store",
    );
  });

  test("questions that cannot be answered are refused", async (opened) => {
    const store = opened.forScope("scope");
    for (const timeZone of ["Europe/Atlantis", "", "'; --"]) {
      await rejects(() => store.getAnalytics({ ...DAY, timeZone }), "invalid_time_zone", `zone ${timeZone}`);
    }
    const bad = [{ days: 0 }, { days: 401 }, { days: 1.5 }, { lastDay: "2026-02-30" }, { groupBy: "mood" }];
    for (const part of bad) {
      const query = { ...DAY, ...part } as AnalyticsQuery;
      await rejects(() => store.getAnalytics(query), "invalid_argument", JSON.stringify(part));
    }
  });
}

/** Every way to ask is answered like the reference. */
async function check(store: TestedStore, expected: Expected, ...queries: AnalyticsQuery[]): Promise<void> {
  for (const query of queries) {
    for (const groupBy of [undefined, ...ANALYTICS_GROUPS]) {
      const asked = { ...query, ...(groupBy && { groupBy }) };
      const answer = present(await store.getAnalytics(asked), "the answer");
      equal(answer, expected.analytics(asked), `getAnalytics ${JSON.stringify(asked)}`);
    }
  }
}

/** Executions that start every 45 minutes around the end of summer time. */
async function started(store: TestedStore): Promise<{ store: TestedStore; expected: Expected }> {
  const expected = new Expected();
  const base = Date.parse("2026-10-24T20:00:00Z");
  const records = Array.from({ length: 64 }, (_, index): SpanRecord[] => {
    const startMs = base + index * 45 * 60_000;
    const own = { executionId: `run-${index}`, traceId: traceIdOf(index + 1), startTime: `${startMs}000000` };
    const first = root(own.executionId, index + 1, {
      ...own,
      endTime: `${startMs + 3 ** (index % 12)}000000`,
      workflowId: `workflow-${index % 3}`,
    });
    const model = call(300 + index, index + 1, index, {
      ...own,
      endTime: `${startMs + 5}000000`,
      model: `model-${index % 2}`,
      nodeId: "n",
      nodeType: index % 2 === 0 ? "agent" : undefined,
    });
    return [first, model];
  }).flat();
  await store.write(records);
  expected.add(records);
  return { store, expected };
}
