import type { RejectedSpan, SpanRecord } from "@spanloom/model";

export type SpanIds = Pick<SpanRecord, "traceId" | "spanId">;

/** Something of an execution that is not in the destination as it is in the source. */
export interface MigrationProblem {
  scope: string;
  executionId: string;
  /**
   * - `rejected`: the destination refused spans, for instance because it has deleted their execution or pruned beyond them
   * - `differs`: read back, spans are not what was written
   * - `absent`: read back, spans are not there
   * - `newer`: the destination holds newer states of spans, which it keeps
   * - `more`: the destination holds spans that the source has not
   * - `payload_missing`: the source itself has lost payloads of spans
   * - `gone`: the source has deleted or pruned it since it was copied; the copy is still there
   */
  kind: "rejected" | "differs" | "absent" | "newer" | "more" | "payload_missing" | "gone";
  /** How many spans. */
  count: number;
  /** The first of them, at most 10. */
  spans: SpanIds[];
  /** Of `rejected`: why the first was. */
  rejection?: Pick<RejectedSpan, "code" | "message">;
}

/** A local day in UTC whose cost is not the same at both sides. */
export interface DifferingDay {
  scope: string;
  /** `YYYY-MM-DD`. */
  day: string;
  /** Whole nano-USD; absent where nothing is known. */
  from?: number;
  to?: number;
}

export interface MigrationReport {
  /** Executions of which all spans were copied and read back the same. */
  verified: number;
  /** Executions copied in this run, some of them more than once because they changed meanwhile. */
  copied: number;
  spans: number;
  /** Executions that an earlier run had copied, and whose summaries are the same at both sides. */
  comparedBySummary: number;
  /** Executions that changed faster than the passes could follow: run it again when the source is quiet. */
  stillChanging: number;
  /** The first 1,000; `problemCount` counts all, and `onProblem` hears of all. */
  problems: MigrationProblem[];
  problemCount: number;
  /**
   * Of the last 400 days those whose sums differ. Sums of what the source has pruned stay behind: only spans can be copied,
   * and sums are made of them anew.
   */
  differingDays: DifferingDay[];
}

/**
 * How far a migration came. JSON, small, the caller's to keep. Executions that started before `copiedTo` are in the
 * destination.
 */
export interface MigrationState {
  version: 1;
  scopes: Record<string, { copiedTo: string }>;
}
