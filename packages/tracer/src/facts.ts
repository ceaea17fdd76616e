import type {
  Artifact,
  Attributes,
  CacheAccess,
  Content,
  Cost,
  ExecutionStatus,
  SpanKind,
  TokenUsage,
} from "@spanloom/model";
import type { ExecutionClock } from "./clock.ts";
import type { ExecutionTotals } from "./totals.ts";

/** What all spans of one run of an execution share. */
export interface ExecutionFacts {
  executionId: string;
  workflowId?: string;
  workflowName?: string;
  threadId?: string;
  clock: ExecutionClock;
  totals: ExecutionTotals;
}

/** What every span below a node carries, too. */
export interface NodeFacts {
  nodeId: string;
  nodeType?: string;
  attempt: number;
}

/** What travels beside an OpenTelemetry span: content, and all that its attributes have no type for. */
export interface SpanFacts {
  execution: ExecutionFacts;
  node?: NodeFacts;
  kind: SpanKind;
  /** Set on the root of an execution's trace. */
  status?: ExecutionStatus;
  agent?: string;
  model?: string;
  provider?: string;
  /** The host's own attributes, already JSON. */
  attributes: Attributes;
  /** Keys that stand on the OpenTelemetry span only for processors of the host: they repeat what is here. */
  mirrored?: Set<string>;
  usage?: TokenUsage;
  cost?: Cost;
  finishReasons?: string[];
  firstTokenTime?: string;
  input?: Content;
  output?: Content;
  stateBefore?: Content;
  stateAfter?: Content;
  artifacts?: Artifact[];
  cache?: CacheAccess[];
  /** Grows with every change, so that a running span is written again only when it has news. */
  changes: number;
}
