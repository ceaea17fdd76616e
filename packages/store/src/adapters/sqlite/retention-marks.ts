import type { UnixNanos } from "@spanloom/model";
import type { Connection } from "./connection.ts";

/** What retention has removed of a scope. */
export interface RetentionMarks {
  /** The greatest time up to which executions were pruned. */
  watermark: UnixNanos | undefined;
  /** Sums of buckets before this, in Unix seconds, are dropped for good. */
  sumsFrom: number;
}

export function readMarks(db: Connection, scopeNo: number): RetentionMarks {
  const found = db.statement("SELECT watermark, sums_from FROM scope WHERE scope_no = ?").get(scopeNo) as
    | [string | null, number]
    | undefined;
  return { watermark: found?.[0] ?? undefined, sumsFrom: found?.[1] ?? 0 };
}

export function saveMarks(db: Connection, scopeNo: number, { watermark, sumsFrom }: RetentionMarks): void {
  db.statement("UPDATE scope SET watermark = ?, sums_from = ? WHERE scope_no = ?").run(
    ...[watermark ?? null, sumsFrom, scopeNo],
  );
}
