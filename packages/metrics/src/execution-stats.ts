import {
  type ExecutionDetail,
  type ExecutionStatus,
  isTerminal,
  mergeCostSums,
  mergeUsageSums,
  microsOf,
  millisBetween,
  type SpanRecord,
} from "@spanloom/model";
import { modelKey } from "./daily-costs.ts";
import { latencySlot } from "./latency-histogram.ts";
import { compareText } from "./span-order.ts";
import { emptySums, type Sums } from "./sums.ts";

/** Sums over time stand on quarter-hours: every time zone does. */
export const QUARTER_SECONDS = 900;

/** How often durations fell into a slot of the shared histogram: `[slot, count]`, in the order of slots. */
export type LatencySlots = [slot: number, count: number][];

/** What one execution adds to analytics, all of it at its own start. What its spans cost is added at their own. */
export interface ExecutionStats {
  workflowId?: string;
  /** The quarter-hour in which the execution started, in Unix seconds. */
  bucket: number;
  status: ExecutionStatus;
  /** The slot of its duration, once it has ended; absent where it is lost: nobody knows when it did. */
  slot?: number;
  /** By node type, once it has ended; `key` is empty where spans did not say. In the order of keys. */
  nodeTypes: (Sums & { key: string; slots: LatencySlots })[];
  /** By model, once it has ended. In the order of keys. */
  models: { key: string; slots: LatencySlots }[];
}

/** A span as analytics see it. */
export type MeasuredSpan = Pick<
  SpanRecord,
  "kind" | "model" | "provider" | "startTime" | "endTime" | "syntheticEnd"
>;

/**
 * What an execution adds to analytics.
 *
 * @param own The execution's spans; of those that are no model calls nothing is read.
 */
export function executionStats(
  detail: Pick<ExecutionDetail, "workflowId" | "startTime" | "status" | "durationMs" | "nodes">,
  own: Iterable<MeasuredSpan>,
): ExecutionStats {
  const { workflowId, startTime, status, durationMs } = detail;
  const ended = isTerminal(status);
  const measured = ended && status !== "lost" && durationMs !== undefined;
  return {
    ...(workflowId !== undefined && { workflowId }),
    bucket: quarterOf(startTime),
    status,
    ...(measured && { slot: latencySlot(durationMs) }),
    nodeTypes: ended ? nodeTypesOf(detail.nodes) : [],
    models: ended ? modelsOf(own) : [],
  };
}

/** The quarter-hour of a time, in Unix seconds. */
export function quarterOf(time: string): number {
  return Math.floor(microsOf(time) / (QUARTER_SECONDS * 1e6)) * QUARTER_SECONDS;
}

function nodeTypesOf(nodes: ExecutionDetail["nodes"]): ExecutionStats["nodeTypes"] {
  const types = new Map<string, Sums & { slots: Map<number, number> }>();
  for (const { nodeType = "", status, startTime, endTime, usage, cost } of nodes) {
    const type = types.get(nodeType) ?? { ...emptySums(), slots: new Map() };
    types.set(nodeType, type);
    mergeUsageSums(type.usage, usage);
    mergeCostSums(type.cost, cost);
    if (status !== "running" && endTime !== undefined) count(type.slots, millisBetween(startTime, endTime));
  }
  return sorted(types).map(([key, { usage, cost, slots }]) => ({ key, usage, cost, slots: listOf(slots) }));
}

function modelsOf(own: Iterable<MeasuredSpan>): ExecutionStats["models"] {
  const models = new Map<string, Map<number, number>>();
  for (const span of own) {
    const { kind, startTime, endTime, syntheticEnd } = span;
    if (kind !== "llm" && kind !== "embedding") continue;
    if (endTime === undefined || syntheticEnd !== undefined) continue;
    const key = modelKey(span);
    const slots = models.get(key) ?? new Map<number, number>();
    models.set(key, slots);
    count(slots, millisBetween(startTime, endTime));
  }
  return sorted(models).map(([key, slots]) => ({ key, slots: listOf(slots) }));
}

function count(slots: Map<number, number>, durationMs: number): void {
  const slot = latencySlot(durationMs);
  slots.set(slot, (slots.get(slot) ?? 0) + 1);
}

function listOf(slots: ReadonlyMap<number, number>): LatencySlots {
  return [...slots].sort(([a], [b]) => a - b);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compareText(a, b));
}
