import {
  bearsBelow,
  type ExecutionDetail,
  type KeyspaceMetrics,
  millisBetween,
  type RunMetrics,
  type SpanRecord,
  type StageMetrics,
} from "@spanloom/model";
import type { NodeTotals } from "./node-totals.ts";
import { compareText } from "./span-order.ts";
import { foldExecution } from "./summarize-execution.ts";
import type { SummedSpan } from "./summed-span.ts";

/** A run by stage. Takes what `summarizeExecution` takes, and agrees with it. */
export function computeRunMetrics(
  executionId: string,
  spans: readonly SummedSpan[],
  seq: number,
  below: ReadonlyMap<string, number> = bearsBelow(spans),
): RunMetrics {
  const { detail, nodes, own } = foldExecution(executionId, spans, seq, below);
  return runMetricsOf(detail, nodes, own);
}

/** Run metrics of what is summed up already. `own` may leave out spans without cache accesses. */
export function runMetricsOf(
  detail: ExecutionDetail,
  nodes: readonly NodeTotals[],
  own: Iterable<Pick<SpanRecord, "cache">>,
): RunMetrics {
  const { executionId, workflowId, workflowName, status, startTime, endTime, usage, cost, seq } = detail;
  const mcpCache = cacheMetrics(own);
  return {
    executionId,
    ...(workflowId !== undefined && { workflowId }),
    ...(workflowName !== undefined && { workflowName }),
    status,
    startTime,
    ...(endTime !== undefined && { endTime }),
    usage,
    cost,
    stages: nodes.map(toStage),
    ...(mcpCache !== undefined && { mcpCache }),
    seq,
  };
}

/** Cache accesses by keyspace, in order of their names; `undefined` when there was no access. */
export function cacheMetrics(spans: Iterable<Pick<SpanRecord, "cache">>): RunMetrics["mcpCache"] {
  const sums = new Map<string, { hits: number; misses: number }>();
  let hits = 0;
  let misses = 0;
  for (const span of spans) {
    for (const access of span.cache ?? []) {
      const sum = sums.get(access.keyspace) ?? { hits: 0, misses: 0 };
      sums.set(access.keyspace, { hits: sum.hits + access.hits, misses: sum.misses + access.misses });
      hits += access.hits;
      misses += access.misses;
    }
  }
  if (hits + misses === 0) return undefined;
  const keyspaces = Array.from(
    sums,
    ([keyspace, sum]): KeyspaceMetrics => ({ keyspace, ...sum, ...ratio(sum.hits, sum.misses) }),
  );
  keyspaces.sort((a, b) => compareText(a.keyspace, b.keyspace));
  return { keyspaces, hits, misses, ...ratio(hits, misses) };
}

function toStage({ summary, name, traceId }: NodeTotals): StageMetrics {
  const { nodeId, nodeType, status, startTime, endTime, attempts, usage, cost } = summary;
  return {
    nodeId,
    name,
    ...(nodeType !== undefined && { nodeType }),
    status,
    startTime,
    ...(endTime !== undefined && { endTime, elapsedMs: millisBetween(startTime, endTime) }),
    attempts,
    usage,
    cost,
    traceId,
  };
}

function ratio(hits: number, misses: number): { ratio?: number } {
  return hits + misses === 0 ? {} : { ratio: hits / (hits + misses) };
}
