import {
  type Bears,
  bearsBelow,
  bearsOf,
  compareNanos,
  contributionOf,
  millisBetween,
  type SpanSkeleton,
  totalTokens,
  type UnixNanos,
} from "@spanloom/model";
import { buildSpanTree, preOrder, type SpanTreeNode } from "@spanloom/model/tree";

export type TraceNode = SpanTreeNode<SpanSkeleton>;

/**
 * One change set of a trace, ready to draw: every span in pre-order, with what rows need in arrays by that order.
 * A subtree is a run of indices, so no part of the panel walks the tree again.
 */
export interface TraceModel {
  /** Pre-order: parents before children, siblings by start time. */
  nodes: readonly TraceNode[];
  /** Index of the parent, -1 at a root. */
  parents: Int32Array;
  /** First start of any span; times below count from it. */
  originTime: UnixNanos;
  startMs: Float64Array;
  /** NaN while the span runs. */
  endMs: Float64Array;
  /** Last known start or end. */
  extentMs: number;
  /** Sum of the subtree's tokens, each counted once; NaN when unknown. */
  tokens: Float64Array;
  /** Sum of the subtree's cost, each counted once; NaN when unknown. */
  costNanoUsd: Float64Array;
  /** How many counted items of the subtree have tokens and no price. */
  unpriced: Int32Array;
  /** What the span itself adds to sums; NaN when nothing. */
  ownCostNanoUsd: Float64Array;
  errorCount: number;
  runningCount: number;
  orphans: number;
  cycles: number;
  duplicates: number;
  /** Index of a span by `traceId/spanId`; -1 when it is not there. */
  indexOf(key: string): number;
}

/** Builds the model in linear time but for sorting. Any set of spans is accepted and none is lost. */
export function buildTraceModel(spans: readonly SpanSkeleton[]): TraceModel {
  const tree = buildSpanTree(spans);
  const nodes = preOrder(tree.roots);
  const size = nodes.length;
  const parents = parentIndices(nodes);
  const originTime = firstStart(nodes);
  const startMs = new Float64Array(size);
  const endMs = new Float64Array(size);
  const millisAt = clockFrom(originTime);
  let extentMs = 0;
  let errorCount = 0;
  let runningCount = 0;
  nodes.forEach(({ span }, index) => {
    const start = millisAt(span.startTime);
    const end = span.endTime === undefined ? Number.NaN : millisAt(span.endTime);
    startMs[index] = start;
    endMs[index] = end;
    extentMs = Math.max(extentMs, start, end || 0);
    if (span.status.code === "error") errorCount++;
    if (span.endTime === undefined) runningCount++;
  });
  let indices: Map<string, number> | undefined;
  return {
    nodes,
    parents,
    originTime,
    startMs,
    endMs,
    extentMs,
    ...rollUp(nodes, parents, tree.cycles > 0 ? bearsBelow(nodes.map((node) => node.span)) : undefined),
    errorCount,
    runningCount,
    orphans: tree.orphans,
    cycles: tree.cycles,
    duplicates: tree.duplicates,
    indexOf(key) {
      indices ??= new Map(nodes.map((node, index) => [node.key, index]));
      return indices.get(key) ?? -1;
    },
  };
}

function parentIndices(nodes: readonly TraceNode[]): Int32Array {
  const parents = new Int32Array(nodes.length);
  const path: number[] = [];
  nodes.forEach((node, index) => {
    parents[index] = node.depth === 0 ? -1 : (path[node.depth - 1] as number);
    path[node.depth] = index;
  });
  return parents;
}

function firstStart(nodes: readonly TraceNode[]): UnixNanos {
  let first: UnixNanos | undefined;
  for (const { span } of nodes) {
    if (first === undefined || compareNanos(span.startTime, first) < 0) first = span.startTime;
  }
  return first ?? "0";
}

/** As `millisBetween`, at a third of the cost for times within days of the origin: 15 digits are exact in a double. */
function clockFrom(origin: UnixNanos): (time: UnixNanos) => number {
  const head = origin.slice(0, -15);
  const base = Number(origin.slice(-15));
  return (time) =>
    time.length === origin.length && time.startsWith(head)
      ? (Number(time.slice(-15)) - base) / 1e6
      : millisBetween(origin, time);
}

/**
 * Children stand after their parents, so one pass from the end sees every subtree whole. What a cut cycle bears cannot
 * be read off the tree; then `below` brings it.
 */
function rollUp(
  nodes: readonly TraceNode[],
  parents: Int32Array,
  below: Map<string, Bears> | undefined,
): Pick<TraceModel, "tokens" | "costNanoUsd" | "unpriced" | "ownCostNanoUsd"> {
  const bits = new Uint8Array(nodes.length);
  const tokens = new Float64Array(nodes.length).fill(Number.NaN);
  const costNanoUsd = new Float64Array(nodes.length).fill(Number.NaN);
  const ownCostNanoUsd = new Float64Array(nodes.length).fill(Number.NaN);
  const unpriced = new Int32Array(nodes.length);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { span, key } = nodes[index] as TraceNode;
    const parent = parents[index] as number;
    if (span.usage !== undefined || span.cost !== undefined) {
      const hidden = below === undefined ? (bits[index] as number) : (below.get(key) ?? 0);
      const counted = contributionOf(span, hidden);
      const total = counted?.usage && totalTokens(counted.usage);
      if (total !== undefined) add(tokens, index, total);
      if (counted?.nanoUsd !== undefined) {
        ownCostNanoUsd[index] = counted.nanoUsd;
        add(costNanoUsd, index, counted.nanoUsd);
      }
      if (counted?.unpriced) unpriced[index] = (unpriced[index] as number) + 1;
      bits[index] = (bits[index] as number) | bearsOf(span);
    }
    if (parent < 0) continue;
    bits[parent] = (bits[parent] as number) | (bits[index] as number);
    unpriced[parent] = (unpriced[parent] as number) + (unpriced[index] as number);
    add(tokens, parent, tokens[index] as number);
    add(costNanoUsd, parent, costNanoUsd[index] as number);
  }
  return { tokens, costNanoUsd, unpriced, ownCostNanoUsd };
}

function add(sums: Float64Array, index: number, value: number): void {
  if (Number.isNaN(value)) return;
  const before = sums[index] as number;
  sums[index] = Number.isNaN(before) ? value : before + value;
}
