import { pageOrder } from "../../sql/page-order.ts";
import type { Connection } from "./connection.ts";

/** A span's place in a pre-order. */
export type Place = readonly [traceNo: number, spanId: string];

type Row = [traceNo: number, spanId: string, parentId: string | null, startMs: number, startNs: number];

/** The pre-order of an execution as of a commit, as `buildSpanTree` gives it. */
export function readOrder(db: Connection, execNo: number, asOfSeq: number): Place[] {
  const rows = db
    .statement(
      "SELECT trace_no, span_id, parent_id, start_ms, start_ns FROM span WHERE exec_no = ? AND seq > 0 AND ins_seq <= ?",
    )
    .all(execNo, asOfSeq) as Row[];
  let traceIds: Map<number, string> | undefined;
  const traceIdOf = (traceNo: number): string => {
    traceIds ??= new Map(
      db
        .statement(
          "SELECT e.trace_no, t.trace_id FROM exec_trace e JOIN trace t ON t.trace_no = e.trace_no WHERE e.exec_no = ?",
        )
        .all(execNo) as [number, string][],
    );
    return traceIds.get(traceNo) ?? "";
  };
  // Only the places are kept: there may be very many.
  return pageOrder<number, Row>(rows, traceIdOf).map((row) => [row[0], row[1]] as const);
}
