import * as v from "valibot";
import { ANALYTICS_GROUPS, type Analytics, type DailyCosts } from "../analytics.ts";
import { SpanloomError } from "../errors.ts";
import { EXECUTION_STATUSES, type ExecutionDetail, type ExecutionSummary } from "../execution.ts";
import type { Page } from "../page.ts";
import type { WriteReceipt } from "../ports/span-sink.ts";
import type { PanelConfig, TraceChanges, TracePage } from "../ports/trace-reader.ts";
import { problemText, recordSchema, skeletonSchema } from "../record-schema.ts";
import type { RunMetrics } from "../run-metrics.ts";
import { SEARCH_PLACES, type SpanMatches } from "../search.ts";
import type { SpanRecord } from "../span.ts";
import { isUnixNanos } from "../time.ts";
import {
  wireAnalytics,
  wireDailyCosts,
  wireExecution,
  wireExecutionDetail,
  wirePanelConfig,
  wireRunMetrics,
  wireSpanMatches,
  wireTraceChanges,
  wireWriteReceipt,
} from "./wire.ts";
import { wireSkeleton, wireSpan } from "./wire-span.ts";

/** Reads of wire JSON. Each translates, checks the shape and throws `invalid_record` that names the field at fault. */

const time = v.custom<string>(isUnixNanos, "must be RFC 3339 like 2026-11-21T09:30:00.000000001Z");
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A sum of counts may leave the safe integers; one such figure must not cost a reader the whole page. */
const total = v.pipe(v.number(), v.integer(), v.minValue(0));
const known = v.object({
  input: count,
  output: count,
  cachedInput: count,
  cacheWrite: count,
  reasoning: count,
  total: count,
});
const usageSum = v.object({
  items: count,
  known,
  input: v.optional(total),
  output: v.optional(total),
  cachedInput: v.optional(total),
  cacheWrite: v.optional(total),
  reasoning: v.optional(total),
  total: v.optional(total),
});
const costSum = v.object({ nanoUsd: v.optional(total), priced: count, unpriced: count });
const sums = { usage: usageSum, cost: costSum };
const stageStatus = v.picklist(["running", "completed", "failed"]);

const summaryEntries = {
  executionId: v.string(),
  workflowId: v.optional(v.string()),
  workflowName: v.optional(v.string()),
  threadId: v.optional(v.string()),
  status: v.picklist(EXECUTION_STATUSES),
  rootSpanId: v.optional(v.string()),
  traceIds: v.array(v.string()),
  startTime: time,
  endTime: v.optional(time),
  durationMs: v.optional(v.number()),
  spanCount: count,
  openSpanCount: count,
  errorCount: count,
  nodeCount: count,
  ...sums,
  environment: v.optional(v.string()),
  service: v.optional(v.string()),
  serviceVersion: v.optional(v.string()),
  seq: count,
};
const summary = v.object(summaryEntries);
const detail = v.object({
  ...summaryEntries,
  segments: v.array(
    v.object({
      traceId: v.string(),
      rootSpanId: v.string(),
      status: v.picklist(EXECUTION_STATUSES),
      startTime: time,
      endTime: v.optional(time),
    }),
  ),
  nodes: v.array(
    v.object({
      nodeId: v.string(),
      nodeType: v.optional(v.string()),
      status: stageStatus,
      attempts: count,
      spanCount: count,
      errorCount: count,
      startTime: time,
      endTime: v.optional(time),
      ...sums,
    }),
  ),
  outsideNodes: v.object(sums),
});
const changes = v.object({
  execution: summary,
  spans: v.array(skeletonSchema),
  removed: v.array(v.object({ traceId: v.string(), spanId: v.string() })),
  seq: count,
  more: v.boolean(),
});
const metrics = v.object({
  executionId: v.string(),
  workflowId: v.optional(v.string()),
  workflowName: v.optional(v.string()),
  status: v.picklist(EXECUTION_STATUSES),
  startTime: time,
  endTime: v.optional(time),
  ...sums,
  stages: v.array(
    v.object({
      nodeId: v.string(),
      name: v.string(),
      nodeType: v.optional(v.string()),
      status: stageStatus,
      startTime: time,
      endTime: v.optional(time),
      elapsedMs: v.optional(v.number()),
      attempts: count,
      ...sums,
      traceId: v.string(),
    }),
  ),
  mcpCache: v.optional(
    v.object({
      keyspaces: v.array(
        v.object({ keyspace: v.string(), hits: count, misses: count, ratio: v.optional(v.number()) }),
      ),
      hits: count,
      misses: count,
      ratio: v.optional(v.number()),
    }),
  ),
  seq: count,
});
const daily = v.object({
  timeZone: v.string(),
  groupBy: v.optional(v.picklist(["workflow", "model"])),
  days: v.array(
    v.object({
      day: v.string(),
      startTime: time,
      endTime: time,
      ...sums,
      groups: v.array(v.object({ key: v.string(), ...sums })),
    }),
  ),
});
const latency = v.object({
  count,
  p50Ms: v.optional(v.number()),
  p95Ms: v.optional(v.number()),
  p99Ms: v.optional(v.number()),
});
const analyticsSums = {
  executions: v.optional(
    v.object({ total: count, byStatus: v.record(v.picklist(EXECUTION_STATUSES), v.optional(count)) }),
  ),
  ...sums,
  latency,
};
const analytics = v.object({
  timeZone: v.string(),
  groupBy: v.optional(v.picklist(ANALYTICS_GROUPS)),
  startTime: time,
  endTime: time,
  total: v.object(analyticsSums),
  groups: v.array(v.object({ key: v.string(), ...analyticsSums })),
});
const matches = v.object({
  items: v.array(
    v.object({
      traceId: v.string(),
      spanId: v.string(),
      hits: v.array(v.object({ place: v.picklist(SEARCH_PLACES), key: v.string(), snippet: v.string() })),
    }),
  ),
  asOfSeq: count,
  nextCursor: v.optional(v.string()),
  contentWithheld: v.optional(v.literal(true)),
});
const receipt = v.object({
  written: count,
  unchanged: count,
  rejected: v.array(
    v.object({
      index: count,
      code: v.picklist(["invalid_record", "limit_exceeded", "deleted_execution", "past_retention"]),
      message: v.string(),
    }),
  ),
});
const template = v.object({ label: v.string(), template: v.string() });
const config = v.object({
  roles: v.array(v.string()),
  links: v.optional(v.object({ run: v.optional(template), trace: v.optional(template) })),
  environment: v.optional(v.string()),
  service: v.optional(v.string()),
  serviceVersion: v.optional(v.string()),
  contentPermitted: v.boolean(),
});

export function decodeExecution(wire: unknown): ExecutionSummary {
  return check(summary, wireExecution.decode(wire));
}
export function decodeExecutionDetail(wire: unknown): ExecutionDetail {
  return check(detail, wireExecutionDetail.decode(wire));
}
/** One span. Throws `invalid_record`. */
export function decodeSpan(wire: unknown): SpanRecord {
  return check(recordSchema, wireSpan.decode(wire)) as SpanRecord;
}
export function decodeChanges(wire: unknown): TraceChanges {
  return check(changes, wireTraceChanges.decode(wire)) as TraceChanges;
}
export function decodeRunMetrics(wire: unknown): RunMetrics {
  return check(metrics, wireRunMetrics.decode(wire));
}
export function decodeDailyCosts(wire: unknown): DailyCosts {
  return check(daily, wireDailyCosts.decode(wire));
}
export function decodeAnalytics(wire: unknown): Analytics {
  return check(analytics, wireAnalytics.decode(wire)) as Analytics;
}
export function decodeSpanMatches(wire: unknown): SpanMatches {
  return check(matches, wireSpanMatches.decode(wire)) as SpanMatches;
}
export function decodeReceipt(wire: unknown): WriteReceipt {
  return check(receipt, wireWriteReceipt.decode(wire));
}
export function decodeConfig(wire: unknown): PanelConfig {
  return check(config, wirePanelConfig.decode(wire));
}

const spansBody = v.object({ spans: v.array(v.unknown()) });

/** The body of `writeSpans`, its spans not read yet: one that is at fault must not cost the others. */
export function decodeSpans(wire: unknown): unknown[] {
  return check(spansBody, wire).spans;
}

const executionPage = v.object({ items: v.array(v.unknown()), next_cursor: v.optional(v.string()) });

export function decodeExecutionPage(wire: unknown): Page<ExecutionSummary> {
  const page = check(executionPage, wire);
  return {
    items: page.items.map(decodeExecution),
    ...(page.next_cursor !== undefined && { nextCursor: page.next_cursor }),
  };
}

const tracePage = v.object({
  execution: v.unknown(),
  spans: v.array(v.unknown()),
  page_info: v.object({ as_of_seq: count, span_count: count, next_cursor: v.optional(v.string()) }),
});

export function decodeTracePage(wire: unknown, view: "full"): TracePage<SpanRecord>;
export function decodeTracePage(wire: unknown, view: "skeleton" | "full"): TracePage;
export function decodeTracePage(wire: unknown, view: "skeleton" | "full"): TracePage {
  const page = check(tracePage, wire);
  const { as_of_seq, span_count, next_cursor } = page.page_info;
  return {
    execution: decodeExecution(page.execution),
    spans: page.spans.map((span) =>
      view === "full" ? decodeSpan(span) : (check(skeletonSchema, wireSkeleton.decode(span)) as SpanRecord),
    ),
    asOfSeq: as_of_seq,
    spanCount: span_count,
    ...(next_cursor !== undefined && { nextCursor: next_cursor }),
  };
}

function check<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Output {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new SpanloomError("invalid_record", {
    what: "The JSON is not what this version of Spanloom expects.",
    why: `${problemText(result.issues[0])}.`,
    fix: "Check that client and server have the same version of Spanloom.",
  });
}
