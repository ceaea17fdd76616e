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
  /** The greatest number of spans of one execution that the store was proven with. */
  provenSpansPerExecution: number;
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
  /** Rebuilds every summary and sum of the scope from its spans. Gives what differed; an exact store gives none. */
  recompute(): Promise<{ executions: number; corrected: string[] }>;
}

/** Where spans are kept. Nothing is read or written without a scope. */
export interface TraceStore {
  /** The adapter's name, e.g. `sqlite`. */
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  /** The tenant's handle. Scopes are 1 to 200 characters; cheap to call again. */
  forScope(scope: string): ScopedStore;
  /** Waits for writes under way and lets go of files and connections. Later calls reject with `store_closed`. */
  close(): Promise<void>;
}
