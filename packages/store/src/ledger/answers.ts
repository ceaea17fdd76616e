import {
  compareNodes,
  compareText,
  type ExecutionStats,
  executionStats,
  type NodeTotals,
  orderTraces,
  runMetricsOf,
  toSegment,
} from "@spanloom/metrics";
import { type ExecutionDetail, type ExecutionSummary, isTerminal, type RunMetrics } from "@spanloom/model";
import { addSums, costSumOf, usageSumOf } from "../sql/sums.ts";
import type { HeldExecution } from "./held-execution.ts";

/** The answers about one execution, put together from what is kept by differences. Each is the caller's to change. */

export function summaryOf(execution: HeldExecution): ExecutionSummary {
  const { executionId, spanCount, openSpanCount, errorCount, nodes, total, seq } = execution;
  return {
    executionId,
    ...execution.frame(),
    traceIds: orderTraces(execution.roots(), execution.traces.keys()),
    spanCount,
    openSpanCount,
    errorCount,
    nodeCount: nodes.size,
    usage: usageSumOf(total),
    cost: costSumOf(total),
    seq,
  };
}

export function detailOf(execution: HeldExecution): ExecutionDetail {
  return detailWith(execution, nodesOf(execution));
}

export function runMetricsOfExecution(execution: HeldExecution): RunMetrics {
  const nodes = nodesOf(execution);
  const caching = Array.from(execution.caching, (span) => span.view);
  return structuredClone(runMetricsOf(detailWith(execution, nodes), nodes, caching));
}

/** What the execution adds to analytics; `undefined` where it has no spans. */
export function statsOf(execution: HeldExecution): ExecutionStats | undefined {
  if (execution.spanCount === 0) return undefined;
  const frame = execution.frame();
  const ended = isTerminal(frame.status);
  const stats = executionStats({ ...frame, nodes: [] }, []);
  if (!ended) return stats;
  const models = [...execution.models].sort(([a], [b]) => compareText(a, b));
  return {
    ...stats,
    nodeTypes: execution.nodeTypes.list(),
    models: models.map(([key, slots]) => ({ key, slots: [...slots].sort(([a], [b]) => a - b) })),
  };
}

function nodesOf({ nodes }: HeldExecution): NodeTotals[] {
  return Array.from(nodes.values(), (node) => node.totals()).sort(compareNodes);
}

function detailWith(execution: HeldExecution, nodes: readonly NodeTotals[]): ExecutionDetail {
  const outside = [...execution.total];
  for (const { sums } of execution.nodes.values()) addSums(outside, sums, -1);
  return {
    ...summaryOf(execution),
    segments: execution.roots().map(toSegment),
    nodes: nodes.map(({ summary }) => structuredClone(summary)),
    outsideNodes: { usage: usageSumOf(outside), cost: costSumOf(outside) },
  };
}
