import { SUMS_READ, type Sums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { Counting } from "./count-changes.ts";
import { createExecutions, type ExecutionRow } from "./executions.ts";
import { renameTrace } from "./late-names.ts";
import { createLeafBits, type Lost } from "./leaf-bits.ts";
import type { Names } from "./names.ts";
import { settleExecutions } from "./settle-executions.ts";
import { findTrace, type TraceRow } from "./span-rows.ts";
import { countRows } from "./write-spans.ts";

/**
 * Removes an execution for good: its spans, what they added to every sum, and what they hid of spans in other executions
 * of the same traces. Its feed tells what went away. Gives the executions that changed; none when there was nothing.
 */
export function deleteExecution(db: Connection, names: Names, scope: string, executionId: string): string[] {
  const scopeNo = names.findScope(scope);
  if (scopeNo === undefined) return [];
  const executions = createExecutions(db, scopeNo);
  const execution = executions.byId(executionId);
  if (execution.isNew || execution.spans === 0) return [];
  const counting: Counting = { db, names, scopeNo, executions };
  const traces = tracesOf(db, scopeNo, execution.no);
  // Asked before anything goes.
  const lost = touchedElsewhere(db, execution.no, traces);

  db.statement("UPDATE execution SET deleted = 1 WHERE exec_no = ?").run(execution.no);
  removeRows(db, execution);
  takeUsage(db, execution);
  for (const trace of traces.values()) {
    const owned = trace.namer === undefined ? trace.id === executionId : trace.namer.exec === execution.no;
    if (!owned) continue;
    db.statement("UPDATE trace SET refuses_unnamed = 1 WHERE trace_no = ?").run(trace.no);
    if (trace.namer !== undefined) renameTrace(db, trace);
  }
  createLeafBits(db).lose(lost);
  countRows(counting, traces.values());
  return settleExecutions(counting, () => undefined);
}

function tracesOf(db: Connection, scopeNo: number, execNo: number): Map<number, TraceRow> {
  const ids = db
    .statement(
      "SELECT t.trace_id FROM exec_trace e JOIN trace t ON t.trace_no = e.trace_no WHERE e.exec_no = ?",
    )
    .all(execNo) as [string][];
  const traces = new Map<number, TraceRow>();
  for (const [id] of ids) {
    const trace = findTrace(db, scopeNo, id);
    if (trace !== undefined) traces.set(trace.no, trace);
  }
  return traces;
}

/** Spans of other executions that lose a child; spans of this one under which others stay; and all that wait for a parent. */
const TOUCHED = `
  SELECT DISTINCT c.trace_no, c.parent_id FROM span c JOIN span p ON p.trace_no = c.trace_no AND p.span_id = c.parent_id
    WHERE c.exec_no = ? AND c.sub > 0 AND p.exec_no <> c.exec_no
  UNION SELECT p.trace_no, p.span_id FROM span p JOIN span c ON c.trace_no = p.trace_no AND c.parent_id = p.span_id AND c.sub > 0
    WHERE p.exec_no = ? AND c.exec_no <> p.exec_no
  UNION SELECT g.trace_no, g.span_id FROM exec_trace e JOIN span_gap g ON g.trace_no = e.trace_no WHERE e.exec_no = ?`;

function touchedElsewhere(db: Connection, execNo: number, traces: ReadonlyMap<number, TraceRow>): Lost[] {
  const found = db.statement(TOUCHED).all(execNo, execNo, execNo) as [number, string][];
  return found.flatMap(([traceNo, spanId]) => {
    const trace = traces.get(traceNo);
    return trace === undefined ? [] : [{ trace, spanId }];
  });
}

function removeRows(db: Connection, execution: ExecutionRow): void {
  const { no } = execution;
  db.statement(
    `INSERT INTO span_gone (exec_no, trace_no, span_id, seq)
     SELECT exec_no, trace_no, span_id, ? + row_number() OVER (ORDER BY seq) FROM span WHERE exec_no = ?`,
  ).run(execution.seq, no);
  for (const table of ["span", "exec_trace", "exec_node"]) {
    db.statement(`DELETE FROM ${table} WHERE exec_no = ?`).run(no);
  }
  execution.seq += execution.spans;
  execution.gone += execution.spans;
  Object.assign(execution, { spans: 0, open: 0, errors: 0, nodes: 0, first: undefined, last: undefined });
  execution.rootsChanged = true;
}

/** Everything it added is taken away again. */
function takeUsage(db: Connection, execution: ExecutionRow): void {
  const rows = db
    .statement(`SELECT bucket, model_no, ${SUMS_READ} FROM exec_usage WHERE exec_no = ?`)
    .all(execution.no) as [number, number, ...Sums][];
  for (const [bucket, modelNo, ...sums] of rows) {
    execution.usage.set(`${bucket}|${modelNo}`, { bucket, modelNo, sums: sums.map((value) => -value) });
  }
}
