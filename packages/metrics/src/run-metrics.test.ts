import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { spanIdOf } from "./history.test-support.ts";
import { cacheMetrics, computeRunMetrics } from "./run-metrics.ts";

function span(number: number, fields: Partial<SpanRecord>): SpanRecord {
  return makeSpan({
    spanId: spanIdOf(number),
    parentSpanId: spanIdOf(0),
    executionId: "run-1",
    name: `span ${number}`,
    startTime: `${1000 + number}000000`,
    endTime: `${2000 + number}000000`,
    ...fields,
  });
}

test("a stage lasts from its first start to its last end, over all attempts", () => {
  const node = { kind: "node", nodeId: "load", nodeType: "loader" } as const;
  const retry = "d".repeat(32);
  const { stages } = computeRunMetrics(
    "run-1",
    [
      span(5, { ...node, attempt: 2, traceId: retry, name: "load again" }),
      span(1, { ...node, attempt: 1, status: { code: "error" } }),
      span(9, { kind: "node", nodeId: "sum", endTime: undefined }),
    ],
    4,
  );
  expect(stages).toMatchObject([
    {
      nodeId: "load",
      name: "span 1",
      nodeType: "loader",
      status: "completed",
      attempts: 2,
      elapsedMs: 1004,
      traceId: retry,
    },
    { nodeId: "sum", status: "running", attempts: 1 },
  ]);
  expect(stages[1]).not.toHaveProperty("elapsedMs");
  expect(stages[1]).not.toHaveProperty("endTime");
});

test("cache accesses add up by keyspace, with a ratio only where there was an access", () => {
  const cache = [
    { keyspace: "tree:*", hits: 3, misses: 0 },
    { keyspace: "idle:*", hits: 0, misses: 0 },
  ];
  expect(cacheMetrics([{ cache }, { cache: [{ keyspace: "tree:*", hits: 0, misses: 1 }] }, {}])).toEqual({
    keyspaces: [
      { keyspace: "idle:*", hits: 0, misses: 0 },
      { keyspace: "tree:*", hits: 3, misses: 1, ratio: 0.75 },
    ],
    hits: 3,
    misses: 1,
    ratio: 0.75,
  });
});

test("a run without any cache access has no cache figures, not a ratio of 0", () => {
  expect(
    cacheMetrics([{}, { cache: [] }, { cache: [{ keyspace: "a", hits: 0, misses: 0 }] }]),
  ).toBeUndefined();
  expect(computeRunMetrics("run-1", [span(1, {})], 1)).not.toHaveProperty("mcpCache");
});
