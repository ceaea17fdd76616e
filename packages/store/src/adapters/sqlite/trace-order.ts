import { buildSpanTree, preOrder } from "@spanloom/model/tree";
import { joinTime } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";

/** A span's place in a pre-order. */
export type Place = readonly [traceNo: number, spanId: string];

type Row = [traceNo: number, spanId: string, parentId: string | null, startMs: number, startNs: number];

/**
 * The pre-order of an execution as of a commit, as `buildSpanTree` gives it. Made from integers, since the first page of
 * a large trace waits for it; only cycles and spans of several traces need the tree itself.
 */
export function readOrder(db: Connection, execNo: number, asOfSeq: number): Place[] {
  const rows = db
    .statement(
      "SELECT trace_no, span_id, parent_id, start_ms, start_ns FROM span WHERE exec_no = ? AND seq > 0 AND ins_seq <= ?",
    )
    .all(execNo, asOfSeq) as Row[];
  return orderOfOneTrace(rows) ?? orderByTree(db, execNo, rows);
}

/** `undefined` where spans are of several traces, or some hang below a cycle. */
function orderOfOneTrace(rows: Row[]): Place[] | undefined {
  const traceNo = rows[0]?.[0];
  if (rows.some((row) => row[0] !== traceNo)) return undefined;
  rows.sort((a, b) => a[3] - b[3] || a[4] - b[4] || (a[1] < b[1] ? -1 : 1));
  const ids = new Set(rows.map((row) => row[1]));
  const children = new Map<string, Row[]>();
  const roots: Row[] = [];
  for (const row of rows) {
    const parentId = row[2];
    if (parentId === null || !ids.has(parentId)) {
      roots.push(row);
      continue;
    }
    const siblings = children.get(parentId);
    if (siblings === undefined) children.set(parentId, [row]);
    else siblings.push(row);
  }
  const order: Place[] = [];
  const stack = roots.reverse();
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    order.push([row[0], row[1]]);
    const below = children.get(row[1]);
    if (below === undefined) continue;
    for (let index = below.length - 1; index >= 0; index--) stack.push(below[index] as Row);
  }
  return order.length === rows.length ? order : undefined;
}

function orderByTree(db: Connection, execNo: number, rows: readonly Row[]): Place[] {
  const traceIds = new Map(
    db
      .statement(
        "SELECT e.trace_no, t.trace_id FROM exec_trace e JOIN trace t ON t.trace_no = e.trace_no WHERE e.exec_no = ?",
      )
      .all(execNo) as [number, string][],
  );
  const spans = rows.map(([traceNo, spanId, parentId, startMs, startNs]) => ({
    traceNo,
    traceId: traceIds.get(traceNo) ?? "",
    spanId,
    ...(parentId !== null && { parentSpanId: parentId }),
    startTime: joinTime([startMs, startNs]),
  }));
  return preOrder(buildSpanTree(spans).roots).map(({ span }) => [span.traceNo, span.spanId] as const);
}
