import type { CostSum } from "./cost.ts";
import type { UnixNanos } from "./time.ts";
import type { UsageSum } from "./usage.ts";

export const EXECUTION_STATUSES = [
  "queued",
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
  "lost",
] as const;
/** `waiting`: for a human or an event outside; `lost`: its process went away without ending it. */
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** True when no more spans are expected. */
export function isTerminal(status: ExecutionStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "lost";
}

/** One uninterrupted stretch of an execution. A resumed execution has several, each with a root span of its own. */
export interface Segment {
  traceId: string;
  rootSpanId: string;
  status: ExecutionStatus;
  startTime: UnixNanos;
  endTime?: UnixNanos;
}

/** What the spans that carry one `nodeId` add up to, over all attempts and iterations. */
export interface NodeSummary {
  nodeId: string;
  nodeType?: string;
  status: "running" | "completed" | "failed";
  /** Highest attempt number seen; 1 where none was given. */
  attempts: number;
  spanCount: number;
  errorCount: number;
  /** First start of a span of this node. */
  startTime: UnixNanos;
  /** Last end; absent while a node span runs. */
  endTime?: UnixNanos;
  usage: UsageSum;
  cost: CostSum;
}

/** One run of a workflow: the row of a list, and what totals and charts add up. Always derived from spans. */
export interface ExecutionSummary {
  executionId: string;
  workflowId?: string;
  workflowName?: string;
  threadId?: string;
  /** From the latest segment. */
  status: ExecutionStatus;
  /** Root of the first segment; absent while no root has arrived. */
  rootSpanId?: string;
  traceIds: string[];
  startTime: UnixNanos;
  /** End of the latest segment; absent while it runs. */
  endTime?: UnixNanos;
  /** From the first start to the last end, waits included; absent while it runs. */
  durationMs?: number;
  spanCount: number;
  /** Spans that nobody has ended yet. */
  openSpanCount: number;
  errorCount: number;
  /** How many different `nodeId`s its spans carry. */
  nodeCount: number;
  usage: UsageSum;
  cost: CostSum;
  environment?: string;
  service?: string;
  serviceVersion?: string;
  /** The execution's commit counter: grows with every write that changed it. */
  seq: number;
}

/** The summary with its segments and per-node breakdown. */
export interface ExecutionDetail extends ExecutionSummary {
  segments: Segment[];
  nodes: NodeSummary[];
  /** What counted that belongs to no node. Nodes and this add up to the totals. */
  outsideNodes: { usage: UsageSum; cost: CostSum };
}
