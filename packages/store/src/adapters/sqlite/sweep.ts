import type { Connection } from "./connection.ts";

/**
 * How rows of pruned executions go. Those of a small one go at once. A large one, and what has the greatest number of its
 * table (which SQLite would give again), is first hidden under a scope number below 0, where no question and no write
 * finds it; `sweep` then takes its rows away in steps, also after a crash.
 */

/** Takes all rows of an execution away. */
export function removeExecution(db: Connection, no: number): void {
  for (const table of ["span", "span_gone", "exec_trace", "exec_node", "execution"]) {
    db.statement(`DELETE FROM ${table} WHERE exec_no = ?`).run(no);
  }
}

/** Nothing of it can be found any more, and no name or text of it stays. */
export function hideExecution(db: Connection, no: number): void {
  db.statement(
    `UPDATE execution SET scope_no = -exec_no, execution_id = '', hidden = 1, workflow_name = NULL, thread_id = NULL, search = '',
       root_span = NULL, service = NULL, service_version = NULL, environment = NULL, stats_seq = seq WHERE exec_no = ?`,
  ).run(no);
}

/** A trace whose unnamed spans are refused goes on to refuse them. */
export function removeTrace(db: Connection, scopeNo: number, no: number): void {
  const again = refusing(db, no);
  db.statement("DELETE FROM span_gap WHERE trace_no = ?").run(no);
  db.statement("DELETE FROM trace WHERE trace_no = ?").run(no);
  if (again !== undefined) refuse(db, scopeNo, again);
}

export function hideTrace(db: Connection, scopeNo: number, no: number): void {
  const again = refusing(db, no);
  db.statement("DELETE FROM span_gap WHERE trace_no = ?").run(no);
  db.statement(
    "UPDATE trace SET scope_no = -trace_no, trace_id = '', namer_exec = NULL, namer_span = NULL WHERE trace_no = ?",
  ).run(no);
  if (again !== undefined) refuse(db, scopeNo, again);
}

/** Spans that go at a time, so that the deadline is kept. */
const AT_ONCE = 50;

const HIDDEN = `SELECT exec_no FROM execution
  WHERE scope_no < 0 AND (n_spans > 0 OR exec_no < (SELECT max(exec_no) FROM execution)) LIMIT 1`;

/** Takes rows of hidden executions away until the deadline. True when there are more. Inside one transaction. */
export function sweep(db: Connection, deadline: number): boolean {
  for (;;) {
    const found = db.statement(HIDDEN).get() as [number] | undefined;
    if (found === undefined) break;
    const [no] = found;
    while (removeSome(db, "span", no) || removeSome(db, "span_gone", no)) {
      if (performance.now() >= deadline) return true;
    }
    db.statement("UPDATE execution SET n_spans = 0 WHERE exec_no = ?").run(no);
    for (const table of ["exec_trace", "exec_node"]) {
      db.statement(`DELETE FROM ${table} WHERE exec_no = ?`).run(no);
    }
    db.statement(
      "DELETE FROM execution WHERE exec_no = ? AND exec_no < (SELECT max(exec_no) FROM execution)",
    ).run(no);
  }
  db.statement(
    `DELETE FROM trace WHERE scope_no < 0 AND trace_no < (SELECT max(trace_no) FROM trace)
     AND NOT EXISTS (SELECT 1 FROM span WHERE span.trace_no = trace.trace_no)`,
  ).run();
  return false;
}

/** True when there were any. */
function removeSome(db: Connection, table: "span" | "span_gone", no: number): boolean {
  const key = table === "span" ? "rowid" : "exec_no, trace_no, span_id";
  const { changes } = db
    .statement(
      `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE exec_no = ? LIMIT ${AT_ONCE})`,
    )
    .run(no);
  return Number(changes) > 0;
}

function refusing(db: Connection, no: number): string | undefined {
  const found = db
    .statement("SELECT trace_id FROM trace WHERE trace_no = ? AND refuses_unnamed = 1")
    .get(no) as [string] | undefined;
  return found?.[0];
}

function refuse(db: Connection, scopeNo: number, traceId: string): void {
  db.statement("INSERT INTO trace (scope_no, trace_id, refuses_unnamed) VALUES (?, ?, 1)").run(
    scopeNo,
    traceId,
  );
}
