import {
  addSums,
  emptySums,
  isZero,
  NOTHING_LEFT,
  SUM_COLUMNS,
  SUMS_READ,
  type Sums,
  takesAway,
} from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { Counting } from "./count-changes.ts";
import type { SqlValue } from "./driver.ts";
import type { ExecutionRow } from "./executions.ts";
import { type Frame, frameOf, type RootRecord } from "./frames.ts";
import { DIM } from "./names.ts";
import { createRollups, type Rollups, upsertSums } from "./rollups.ts";

/**
 * Writes what a batch changed in its executions: counters, frame, sums, and the sums of the scope. Gives the ids of the
 * executions that are not as they were.
 */
export function settleExecutions(
  counting: Counting,
  given: (traceNo: number, spanId: string) => RootRecord | undefined,
): string[] {
  const { db, executions, scopeNo } = counting;
  const rollups = createRollups(db, scopeNo);
  const changed: string[] = [];
  for (const execution of executions.all()) {
    dropZeros(execution);
    if (execution.usage.size > 0 && execution.seq === execution.storedSeq) execution.seq++;
    if (execution.seq === execution.storedSeq) continue;
    settle(counting, execution, rollups, given);
    changed.push(execution.id);
  }
  rollups.save();
  return changed;
}

function settle(
  counting: Counting,
  execution: ExecutionRow,
  rollups: Rollups,
  given: (traceNo: number, spanId: string) => RootRecord | undefined,
): void {
  const { db, names, scopeNo } = counting;
  saveTraces(db, execution);
  saveNodes(db, execution);
  if (execution.extremesLost) readExtremes(db, execution);
  const before = execution.workflowNo;
  const reframe = execution.rootsChanged || !execution.hasRoot || execution.isNew;
  const frame = reframe ? frameOf(db, execution, given) : undefined;
  const workflowNo = frame === undefined ? before : names.dim(scopeNo, DIM.workflow, frame.workflowId);
  const added = saveUsage(db, execution);
  if (workflowNo !== before && execution.hasUsage) moveUsage(db, execution, before, workflowNo, rollups);
  else
    for (const { bucket, modelNo, sums } of execution.usage.values()) {
      rollups.add(bucket, workflowNo, modelNo, sums);
    }
  if (execution.isNew && frame !== undefined) insert(db, scopeNo, execution, workflowNo, frame, added);
  else {
    update(db, execution, COUNTERS, counters(execution));
    if (frame !== undefined) update(db, execution, FRAME, frameValues(execution, workflowNo, frame));
    if (execution.usage.size > 0) addTotals(db, execution, added);
  }
}

function dropZeros(execution: ExecutionRow): void {
  for (const [key, { sums }] of execution.usage) if (isZero(sums)) execution.usage.delete(key);
}

function saveTraces(db: Connection, { no, traceDeltas }: ExecutionRow): void {
  for (const [traceNo, by] of traceDeltas) {
    if (by === 0) continue;
    db.statement(
      "INSERT INTO exec_trace VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n_spans = n_spans + excluded.n_spans",
    ).run(no, traceNo, by);
    if (by < 0)
      db.statement("DELETE FROM exec_trace WHERE exec_no = ? AND trace_no = ? AND n_spans = 0").run(
        no,
        traceNo,
      );
  }
}

function saveNodes(db: Connection, execution: ExecutionRow): void {
  for (const [nodeNo, by] of execution.nodeDeltas) {
    if (by === 0) continue;
    const [left] = db
      .statement(
        "INSERT INTO exec_node VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n_spans = n_spans + excluded.n_spans RETURNING n_spans",
      )
      .get(execution.no, nodeNo, by) as [number];
    if (left === by) execution.nodes++;
    if (left > 0) continue;
    execution.nodes--;
    db.statement("DELETE FROM exec_node WHERE exec_no = ? AND node_no = ?").run(execution.no, nodeNo);
  }
}

/** The span with the earliest start or the latest end went away or changed: what are they now? */
function readExtremes(db: Connection, execution: ExecutionRow): void {
  const first = db
    .statement("SELECT start_ms, start_ns FROM span WHERE exec_no = ? ORDER BY start_ms, start_ns LIMIT 1")
    .get(execution.no) as [number, number] | undefined;
  const last = db
    .statement(
      "SELECT end_ms, end_ns FROM span WHERE exec_no = ? AND end_ms IS NOT NULL ORDER BY end_ms DESC, end_ns DESC LIMIT 1",
    )
    .get(execution.no) as [number, number] | undefined;
  execution.first = first;
  execution.last = last;
}

const USAGE_KEY = ["exec_no", "bucket", "model_no"];
const UPSERT_USAGE = upsertSums("exec_usage", USAGE_KEY);
const DELETE_USAGE = `DELETE FROM exec_usage WHERE exec_no = ? AND bucket = ? AND model_no = ? AND ${NOTHING_LEFT}`;

/** Gives what the batch adds to the execution's totals. */
function saveUsage(db: Connection, execution: ExecutionRow): Sums {
  const total = emptySums();
  for (const { bucket, modelNo, sums } of execution.usage.values()) {
    db.statement(UPSERT_USAGE).run(execution.no, bucket, modelNo, ...sums);
    if (takesAway(sums)) db.statement(DELETE_USAGE).run(execution.no, bucket, modelNo);
    addSums(total, sums);
  }
  return total;
}

/** The workflow became known late, or is another: moves the execution's few rows of sums, not its spans. */
function moveUsage(
  db: Connection,
  execution: ExecutionRow,
  from: number,
  to: number,
  rollups: Rollups,
): void {
  const now = db
    .statement(`SELECT bucket, model_no, ${SUMS_READ} FROM exec_usage WHERE exec_no = ?`)
    .all(execution.no) as [number, number, ...Sums][];
  for (const [bucket, modelNo, ...sums] of now) {
    rollups.add(bucket, to, modelNo, sums);
    rollups.add(bucket, from, modelNo, sums, -1);
  }
  // What stood there before the batch is what stands there now, less what it added.
  for (const { bucket, modelNo, sums } of execution.usage.values()) rollups.add(bucket, from, modelNo, sums);
}

export const COUNTERS: readonly string[] = [
  ...["seq", "hidden", "n_spans", "n_open", "n_errors", "n_nodes", "n_gone"],
  ...["first_ms", "first_ns", "last_ms", "last_ns"],
];
export const FRAME: readonly string[] = [
  ...["workflow_no", "workflow_name", "thread_id", "search", "status", "root_span"],
  ...["start_ms", "start_ns", "end_ms", "end_ns", "duration_ms", "service", "service_version", "environment"],
];
const INSERT = `INSERT INTO execution (exec_no, scope_no, execution_id, ${[...COUNTERS, ...FRAME, ...SUM_COLUMNS].join(", ")})
  VALUES (${Array(3 + COUNTERS.length + FRAME.length + SUM_COLUMNS.length)
    .fill("?")
    .join(", ")})`;
const ADD_TOTALS = `UPDATE execution SET ${SUM_COLUMNS.map((column) => `${column} = ${column} + CAST(? AS INTEGER)`).join(", ")}
  WHERE exec_no = ?`;

export function counters({ seq, spans, open, errors, nodes, gone, first, last }: ExecutionRow): SqlValue[] {
  return [
    ...[seq, spans === 0 ? 1 : 0, spans, open, errors, nodes, gone],
    ...[first?.[0] ?? null, first?.[1] ?? null, last?.[0] ?? null, last?.[1] ?? null],
  ];
}

export function frameValues(execution: ExecutionRow, workflowNo: number, frame: Frame): SqlValue[] {
  const { workflowId, workflowName, threadId, status, rootSpanId, start, end, durationMs } = frame;
  return [
    ...[
      workflowNo,
      workflowName ?? null,
      threadId ?? null,
      searchText(execution.id, workflowId, workflowName),
    ],
    ...[
      status,
      rootSpanId ?? null,
      start[0],
      start[1],
      end?.[0] ?? null,
      end?.[1] ?? null,
      durationMs ?? null,
    ],
    ...[frame.service ?? null, frame.serviceVersion ?? null, frame.environment ?? null],
  ];
}

/** What the text filter looks through. The separator keeps one part's end from meeting the next one's beginning. */
function searchText(...parts: (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined)
    .join("\u001f")
    .toLowerCase();
}

function insert(
  db: Connection,
  scopeNo: number,
  execution: ExecutionRow,
  workflowNo: number,
  frame: Frame,
  sums: Sums,
): void {
  const own = [execution.no, scopeNo, execution.id, ...counters(execution)];
  db.statement(INSERT).run(...own, ...frameValues(execution, workflowNo, frame), ...sums);
}

/** Names only the columns that may differ: SQLite touches each index of a column that is named. */
function update(db: Connection, { no }: ExecutionRow, columns: readonly string[], values: SqlValue[]): void {
  const set = columns.map((column) => `${column} = ?`).join(", ");
  db.statement(`UPDATE execution SET ${set} WHERE exec_no = ?`).run(...values, no);
}

function addTotals(db: Connection, { no }: ExecutionRow, sums: Sums): void {
  db.statement(ADD_TOTALS).run(...sums, no);
}
