import type { SpanRecord } from "../span.ts";
import type { UnixNanos } from "../time.ts";
import type { SpanSink } from "./span-sink.ts";
import type { TraceReader } from "./trace-reader.ts";

/**
 * What a store can do. Everything is required, so that a new adapter must decide; what a store cannot do it refuses with
 * `not_supported`, it never approximates.
 */
export interface StoreCapabilities {
  /** What `write` has survived when it resolves: nothing, a crash of the process, or a loss of power. */
  durability: "memory" | "process-crash" | "power-loss";
  /** Several processes may write at once. */
  concurrentWriters: boolean;
  /** `changesSince` also sees what other processes wrote. */
  crossProcessReads: boolean;
  /**
   * When bytes of what was deleted, redacted or pruned are gone from files and disks: before the call resolves, or some
   * time after it, as the store's documentation says. No answer shows them in either case.
   */
  erasure: "immediate" | "eventual";
  /** The greatest number of spans of one execution that the store was proven with. */
  provenSpansPerExecution: number;
}

export interface PruneRequest {
  /**
   * Removes executions whose last activity (the latest start or end of a span, also of one that never ended) was before
   * this. Executions that share a trace leave together or not at all.
   */
  before: UnixNanos;
  /** Also drops the sums of whole UTC days that ended before this; they are kept where absent. */
  sumsBefore?: UnixNanos;
  /** At most so many executions in one call: 1 to 10,000; 200 where absent. A few more where they share traces. */
  limit?: number;
}

export interface PruneReport {
  executions: number;
  spans: number;
  /** More executions wait to be removed: call again. */
  more: boolean;
}

/**
 * Gives the record with what must go taken out, or the record itself where nothing must. It may change anything but
 * `traceId`, `spanId`, `executionId` and `revision`.
 */
export type RedactRule = (record: SpanRecord) => SpanRecord;

export interface RedactSelection {
  /** Only these executions; all where absent. At most 500. */
  executionIds?: readonly string[];
  /** Only executions that started at or after. */
  from?: UnixNanos;
  /** Only executions that started before. */
  to?: UnixNanos;
}

export interface RedactReport {
  /** Executions looked at. */
  executions: number;
  /** Spans that the rule changed. */
  spans: number;
}

/** A store as one tenant sees it. */
export interface ScopedStore extends SpanSink, TraceReader {
  readonly scope: string;
  readonly capabilities: StoreCapabilities;
  /**
   * Removes the execution, its spans and what they added to every sum, and refuses spans that come late for it.
   * False when there was none.
   */
  deleteExecution(executionId: string): Promise<boolean>;
  /**
   * Removes what is older, in one bounded step; what it added to sums over time stays. Spans that come late for what was
   * removed are refused as `past_retention`.
   */
  prune(request: PruneRequest): Promise<PruneReport>;
  /**
   * Takes something out of what is already stored. A span that the rule changes is stored as a new state, `revision` one
   * higher, so that readers see it change and a late copy of the old state does not come back. Rejects with
   * `invalid_argument` when the rule throws or changes what it may not: spans before that one are done.
   */
  redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport>;
  /**
   * Rebuilds every summary and sum of the scope from its spans and from what pruned ones had added. Gives what differed; an
   * exact store gives none.
   */
  recompute(): Promise<{ executions: number; corrected: string[] }>;
}

/** Where spans are kept. Nothing is read or written without a scope. */
export interface TraceStore {
  /** The adapter's name, e.g. `sqlite`. */
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  /** The tenant's handle. Scopes are 1 to 200 characters; cheap to call again. */
  forScope(scope: string): ScopedStore;
  /** The same for all scopes together: what the store itself does at start-up and while it runs, by its retention. */
  prune(request: PruneRequest): Promise<PruneReport>;
  /** Waits for writes under way and lets go of files and connections. Later calls reject with `store_closed`. */
  close(): Promise<void>;
}
