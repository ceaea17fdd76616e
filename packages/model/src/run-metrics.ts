import type { CostSum } from "./cost.ts";
import type { ExecutionStatus } from "./execution.ts";
import type { UnixNanos } from "./time.ts";
import type { UsageSum } from "./usage.ts";

/** What one stage (node) of a run did. */
export interface StageMetrics {
  nodeId: string;
  /** The name of the stage's first span. */
  name: string;
  nodeType?: string;
  status: "running" | "completed" | "failed";
  startTime: UnixNanos;
  /** Absent while the stage runs. */
  endTime?: UnixNanos;
  /** First start to last end; absent while the stage runs. */
  elapsedMs?: number;
  attempts: number;
  /** While the stage runs, what is known so far. */
  usage: UsageSum;
  cost: CostSum;
  /** The trace that holds its latest attempt. */
  traceId: string;
}

export interface KeyspaceMetrics {
  keyspace: string;
  hits: number;
  misses: number;
  /** hits / (hits + misses), 0 to 1; absent without any access. */
  ratio?: number;
}

/** A run seen by stage: tokens, latency, cache. */
export interface RunMetrics {
  executionId: string;
  workflowId?: string;
  workflowName?: string;
  status: ExecutionStatus;
  startTime: UnixNanos;
  endTime?: UnixNanos;
  usage: UsageSum;
  cost: CostSum;
  /** In order of first start. */
  stages: StageMetrics[];
  /** Absent when the run made no cache access: then there is nothing to say, not a ratio of 0. */
  mcpCache?: { keyspaces: KeyspaceMetrics[]; hits: number; misses: number; ratio?: number };
  seq: number;
}
