import { compareNanos, type SpanRecord, type UnixNanos } from "@spanloom/model";
import type { Connection } from "./connection.ts";
import type { Executions } from "./executions.ts";
import type { SpanRow, TraceRow } from "./span-rows.ts";

/** True for a record from before what retention has removed: only an execution that is there may still have it. */
export function isPast({ startTime, endTime }: SpanRecord, watermark: UnixNanos): boolean {
  return (
    compareNanos(startTime, watermark) < 0 && (endTime === undefined || compareNanos(endTime, watermark) < 0)
  );
}

/**
 * Parts past records into those that join an execution, which `take` gets, and the others, which are given back. Any of
 * them may join by another one, so all are asked again until none does any more: their order changes nothing.
 *
 * @param brought What the write has brought otherwise, also while this goes on.
 */
export function joinPast<T extends { record: SpanRecord }>(
  { db, executions, findTrace }: Known,
  brought: ReadonlySet<SpanRow>,
  past: readonly T[],
  take: (item: T) => void,
): T[] {
  const isThere = ({ traceId, executionId }: SpanRecord): boolean => {
    if (executions.byId(executionId).spans > 0) return true;
    if (executionId === traceId && hasSpans(db, findTrace(traceId))) return true;
    const { no } = executions.byId(executionId);
    for (const { now, trace } of brought) {
      if (now.unnamed === 0 && now.exec === no) return true;
      // Unnamed spans go together, and with whoever names their trace.
      if (trace.id === executionId && (now.unnamed === 1 || executionId === traceId)) return true;
    }
    return false;
  };
  let waiting = [...past];
  for (let joined = true; joined; ) {
    const left: T[] = [];
    for (const item of waiting) {
      if (isThere(item.record)) take(item);
      else left.push(item);
    }
    joined = left.length < waiting.length && left.length > 0;
    waiting = left;
  }
  return waiting;
}

interface Known {
  db: Connection;
  executions: Executions;
  /** The trace, where there is one. */
  findTrace(traceId: string): TraceRow | undefined;
}

function hasSpans(db: Connection, trace: TraceRow | undefined): boolean {
  if (trace === undefined || trace.isNew) return false;
  return db.statement("SELECT 1 FROM span WHERE trace_no = ? LIMIT 1").get(trace.no) !== undefined;
}
