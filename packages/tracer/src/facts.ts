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

/** What all spans of one run of an execution share. */
export interface ExecutionFacts {
  /** Absent where nobody has named the execution: the trace's id stands for it until somebody does. */
  executionId?: string;
  workflowId?: string;
  workflowName?: string;
  threadId?: string;
  /** False where recording is switched off: its spans have ids and nothing else. */
  recorded: boolean;
  clock: ExecutionClock;
  /** Says that somebody wants the execution to stop. */
  signal?: AbortSignal;
  /** The execution's own span, and how many waits are under way in it. One object for all that belongs to the run. */
  root: { facts?: SpanFacts; waits: number };
  /** Stands before the ids of nodes of a workflow that runs inside another one. */
  nodePrefix?: string;
}

/** What every span below a node carries, too. */
export interface NodeFacts {
  nodeId: string;
  nodeType?: string;
  attempt: number;
}

/**
 * What travels beside an OpenTelemetry span: content, and all that its attributes have no type for. A class with every
 * field from the start, so that all spans have one shape: the engine reads them fast.
 */
export class SpanFacts {
  readonly execution: ExecutionFacts;
  readonly kind: SpanKind;
  readonly node: NodeFacts | undefined;
  /** What the span is called at its start. */
  readonly name: string;
  /** Set on the root of an execution's trace. */
  status: ExecutionStatus | undefined = undefined;
  agent: string | undefined = undefined;
  model: string | undefined = undefined;
  provider: string | undefined = undefined;
  /** The host's own attributes, already JSON. */
  attributes: Attributes = {};
  /** Keys that stand on the OpenTelemetry span only for processors of the host: they repeat what is here. */
  mirrored: Set<string> | undefined = undefined;
  usage: TokenUsage | undefined = undefined;
  cost: Cost | undefined = undefined;
  finishReasons: string[] | undefined = undefined;
  firstTokenTime: string | undefined = undefined;
  input: Content | undefined = undefined;
  output: Content | undefined = undefined;
  stateBefore: Content | undefined = undefined;
  stateAfter: Content | undefined = undefined;
  artifacts: Artifact[] | undefined = undefined;
  cache: CacheAccess[] | undefined = undefined;
  /** Grows with every change, so that a running span is written again only when it has news. */
  changes = 0;

  constructor(execution: ExecutionFacts, kind: SpanKind, node: NodeFacts | undefined, name: string) {
    this.execution = execution;
    this.kind = kind;
    this.node = node;
    this.name = name;
    if (kind === "agent") this.agent = name;
  }
}
