import { type Contribution, compareNanos, type NodeSummary } from "@spanloom/model";
import { compareStarts, compareText } from "./span-order.ts";
import type { SummedSpan } from "./summed-span.ts";
import { addContribution, emptySums, type Sums } from "./sums.ts";

/** One node's summary, and what a stage shows besides. */
export interface NodeTotals {
  summary: NodeSummary;
  /** The name of its first span. */
  name: string;
  /** The trace of its latest attempt. */
  traceId: string;
}

/** Adds up the spans that carry a `nodeId`, by node. */
export class NodeCollector {
  private readonly nodes = new Map<string, NodeFacts>();

  /** Takes one span of the node, and what it counts for. */
  add(nodeId: string, span: SummedSpan, contribution: Contribution | undefined): void {
    let facts = this.nodes.get(nodeId);
    if (facts === undefined) {
      facts = begin(nodeId, span);
      this.nodes.set(nodeId, facts);
    }
    extend(facts, span);
    addContribution(facts.sums, contribution);
  }

  /** The nodes in order of first start, then node id. */
  totals(): NodeTotals[] {
    return Array.from(this.nodes.values(), toNodeTotals).sort(compareNodes);
  }
}

/** Which span stands for a node's latest attempt: the highest attempt, node spans before others, then the latest start. */
export function compareAttempts(a: SummedSpan, b: SummedSpan): number {
  return (
    (a.attempt ?? 1) - (b.attempt ?? 1) ||
    Number(a.kind === "node") - Number(b.kind === "node") ||
    compareStarts(a, b)
  );
}

/** What the spans of one node add up to. */
export interface NodeFacts {
  nodeId: string;
  /** The first span, and the first that has a node type. */
  first: SummedSpan;
  typed?: SummedSpan;
  /** As {@link compareAttempts} orders. */
  latestAttempt: SummedSpan;
  /** The latest span of kind `node`. */
  latestNode?: SummedSpan;
  /** Open spans of kind `node`, and of any kind. */
  openNodes: number;
  open: number;
  spanCount: number;
  errorCount: number;
  /** The latest end. */
  endTime?: string;
  sums: Sums;
}

function begin(nodeId: string, span: SummedSpan): NodeFacts {
  return {
    nodeId,
    first: span,
    latestAttempt: span,
    openNodes: 0,
    open: 0,
    spanCount: 0,
    errorCount: 0,
    sums: emptySums(),
  };
}

function extend(facts: NodeFacts, span: SummedSpan): void {
  const isNode = span.kind === "node";
  facts.spanCount++;
  if (span.status.code === "error") facts.errorCount++;
  if (span.endTime === undefined) {
    facts.open++;
    if (isNode) facts.openNodes++;
  } else if (facts.endTime === undefined || compareNanos(span.endTime, facts.endTime) > 0) {
    facts.endTime = span.endTime;
  }
  if (compareStarts(span, facts.first) < 0) facts.first = span;
  if (span.nodeType !== undefined && (!facts.typed || compareStarts(span, facts.typed) < 0))
    facts.typed = span;
  if (compareAttempts(span, facts.latestAttempt) > 0) facts.latestAttempt = span;
  if (isNode && (!facts.latestNode || compareStarts(span, facts.latestNode) > 0)) facts.latestNode = span;
}

/** How nodes are listed: by first start, then node id. */
export function compareNodes(a: NodeTotals, b: NodeTotals): number {
  return (
    compareNanos(a.summary.startTime, b.summary.startTime) || compareText(a.summary.nodeId, b.summary.nodeId)
  );
}

export function toNodeTotals(facts: NodeFacts): NodeTotals {
  const status = statusOf(facts);
  return {
    name: facts.first.name,
    traceId: facts.latestAttempt.traceId,
    summary: {
      nodeId: facts.nodeId,
      ...(facts.typed !== undefined && { nodeType: facts.typed.nodeType }),
      status,
      attempts: facts.latestAttempt.attempt ?? 1,
      spanCount: facts.spanCount,
      errorCount: facts.errorCount,
      startTime: facts.first.startTime,
      ...(status !== "running" && { endTime: facts.endTime }),
      ...facts.sums,
    },
  };
}

/** A node's own spans say what became of it: a retry that worked mends it. Without any, its other spans do. */
function statusOf({ latestNode, openNodes, open, errorCount }: NodeFacts): NodeSummary["status"] {
  if (latestNode === undefined) return open > 0 ? "running" : errorCount > 0 ? "failed" : "completed";
  if (openNodes > 0) return "running";
  return latestNode.status.code === "error" ? "failed" : "completed";
}
