import type { SpanRecord } from "../span.ts";

/** A record that was not stored, and why. The others of the same write were. */
export interface RejectedSpan {
  /** Its place in the array given to `write`. */
  index: number;
  /**
   * `past_retention`: it started and ended before what retention has removed, and nothing of its execution is left to join.
   */
  code: "invalid_record" | "limit_exceeded" | "deleted_execution" | "past_retention";
  message: string;
}

export interface WriteReceipt {
  /** Records that changed what is stored. */
  written: number;
  /** Duplicates and records that lost against what is stored: accepted, nothing to do. */
  unchanged: number;
  rejected: RejectedSpan[];
}

export interface SpanSink {
  /**
   * Stores the records: an idempotent upsert by the merge rule of `mergeSpan`, in any order, any number of times.
   * Resolves only when the records are durable, as far as the store's `capabilities.durability` goes. A record that can
   * never be stored is named in `rejected`; the rest is stored. Rejects with a SpanloomError when nothing was stored.
   */
  write(spans: readonly SpanRecord[]): Promise<WriteReceipt>;
}
