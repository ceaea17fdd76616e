import type {
  Analytics,
  AnalyticsQuery,
  DailyCosts,
  DailyCostsQuery,
  ExecutionSummary,
  ListExecutionsQuery,
  Page,
  SpanRecord,
  UnixNanos,
} from "@spanloom/model";
import type { LedgerChanges, Missing, SpanRef, StoredPart } from "./changes.ts";
import type { HeldExecution } from "./held-execution.ts";
import type { Ledger } from "./ledger.ts";

/**
 * Where one scope's rows are kept, for a store made by `createBackedStore`: it saves what the ledger says, gives back what
 * the ledger asks for, and answers what is asked of the whole scope. Calls come one at a time, but for those that only
 * read (`records`, lists, sums). Errors should be of the family; whatever it throws reaches the caller.
 */
export interface Backing {
  /** The greatest time that was pruned by; asked once. */
  watermark(): Promise<UnixNanos | undefined>;
  /** Called before each pruning, and durable when it resolves. */
  setWatermark(before: UnixNanos): Promise<void>;
  /** Before anything else in a call: brings in, or lets the ledger forget, what others changed among these. */
  refresh?(ledger: Ledger, ids: Missing): Promise<void>;
  /** Runs a call that changes something while no other process changes anything; as it comes where absent. */
  exclusive?<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Why a valid record cannot be kept; `undefined` where it can. Records whose ids are no well-formed text are refused where
   * this is absent: most databases cannot hold them.
   */
  recordProblem?(record: SpanRecord): string | undefined;
  load(ids: Missing): Promise<StoredPart>;
  /** All of it, or nothing; durable when it resolves. */
  save(changes: LedgerChanges): Promise<void>;
  /**
   * Stored records as JSON, in the order asked for, with the `executionId` that they belong to; `skeleton` may give less
   * than the whole record. `undefined` for one that is not there.
   */
  records(spans: readonly PlacedRef[], view: "skeleton" | "full"): Promise<(string | undefined)[]>;
  listExecutions(query: ListExecutionsQuery): Promise<Page<ExecutionSummary>>;
  getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]>;
  getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts>;
  getAnalytics(query: AnalyticsQuery): Promise<Analytics>;
  /** Executions whose last activity was before that time, oldest first, at most so many. */
  oldExecutions(before: UnixNanos, limit: number): Promise<string[]>;
  /** Drops the sums over time of whole UTC days that ended before that time. */
  dropSums(before: UnixNanos): Promise<void>;
  /** The ids of all executions that have spans. */
  executionIds(): Promise<string[]>;
  /** Compares what is stored of an execution beside its spans with what these say, mends it, and tells whether it differed. */
  recompute(execution: HeldExecution): Promise<boolean>;
  /**
   * After a deletion, pruning or redaction: makes the old bytes vanish as far as this is done at once.
   *
   * @param executionIds Those that were deleted, or that a redaction looked at: no older state of their spans may stay, also
   * of earlier calls that broke off. What pruning took is known from `save`.
   */
  erase?(executionIds: ReadonlySet<string>): Promise<void>;
  /** After the last call. */
  close?(): Promise<void>;
}

/** A span, and the execution that it belongs to. */
export interface PlacedRef extends SpanRef {
  executionId: string;
}
