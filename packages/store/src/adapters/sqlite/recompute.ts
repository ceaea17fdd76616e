import { modelKey } from "@spanloom/metrics";
import { bearsBelow, type SpanRecord } from "@spanloom/model";
import { factsOf, parseSkeleton } from "../../sql/row-codec.ts";
import { addSums, emptySums, SUM_COLUMNS, SUMS_READ, type Sums, sumsOf } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { SqlValue } from "./driver.ts";
import { createExecutions, type ExecutionRow, type Executions } from "./executions.ts";
import { createStatsFolds } from "./fold-stats.ts";
import { frameOf } from "./frames.ts";
import { nameSpans, renameTrace } from "./late-names.ts";
import { DIM, type Names } from "./names.ts";
import { mendStats } from "./recompute-stats.ts";
import { readMarks } from "./retention-marks.ts";
import { CUBES, GRAINS, PRUNED, QUARTER_SECONDS } from "./rollups.ts";
import { COUNTERS, counters, FRAME, frameValues } from "./settle-executions.ts";
import { settleStats } from "./settle-stats.ts";
import { decodeRecord, findTrace, loadRows, type SpanRow, saveRow, storedTexts } from "./span-rows.ts";
import { saveRows } from "./write-spans.ts";

/** What {@link recompute} calls the sums that belong to no single execution. */
const DAILY_SUMS = "daily sums";
const ANALYTICS = "analytics";

/** Works everything derived out again from the records, in one transaction, and mends what differs. */
export function recompute(
  db: Connection,
  names: Names,
  scope: string,
): { executions: number; corrected: string[] } {
  const scopeNo = names.findScope(scope);
  if (scopeNo === undefined) return { executions: 0, corrected: [] };
  while (settleStats(db, names, scopeNo, createStatsFolds(db), Number.POSITIVE_INFINITY));
  const wrong = new Set<number>();
  const executions = createExecutions(db, scopeNo);
  const traceIds = db.statement("SELECT trace_id FROM trace WHERE scope_no = ?").all(scopeNo) as [string][];
  for (const [id] of traceIds) mendTrace(db, names, scopeNo, id, executions, wrong);
  const all = db
    .statement("SELECT execution_id FROM execution WHERE scope_no = ? ORDER BY execution_id")
    .all(scopeNo) as [string][];
  const corrected: string[] = [];
  let counted = 0;
  for (const [id] of all) {
    const execution = executions.byId(id);
    const mended = mendExecution(db, names, scopeNo, execution, wrong.has(execution.no));
    if (execution.spans > 0) counted++;
    if (mended) corrected.push(id);
  }
  if (mendRollups(db, scopeNo)) corrected.push(DAILY_SUMS);
  const stats = mendStats(db, names, scopeNo);
  corrected.push(...stats.executions.filter((id) => !corrected.includes(id)));
  if (stats.sums) corrected.push(ANALYTICS);
  return { executions: counted, corrected };
}

/** What the rows of one trace say about their records, their descendants and their execution. */
function mendTrace(
  db: Connection,
  names: Names,
  scopeNo: number,
  id: string,
  executions: Executions,
  wrong: Set<number>,
): void {
  const trace = findTrace(db, scopeNo, id);
  if (trace === undefined) return;
  loadRows(db, trace, "seq > 0");
  const rows = [...trace.rows.values()].filter((row) => row !== undefined);
  const records = rows.map((row) => recordOf(db, executions, row));
  const below = bearsBelow(records);
  rows.forEach((row, index) => {
    const record = records[index] as SpanRecord;
    const bits = below.get(`${id}/${row.spanId}`) ?? 0;
    const facts = factsOf(record);
    const node = names.dim(scopeNo, DIM.node, record.nodeId);
    row.now = { ...row.now, ...facts, node, below: bits, sub: facts.bears | bits };
    const { below: a, sub: b, ...before } = row.before ?? row.now;
    const { below: c, sub: d, ...now } = row.now;
    if (a !== c || b !== d) wrong.add(row.now.exec);
    if (!sameValues(Object.values(before), Object.values(now))) {
      wrong.add(row.now.exec);
      row.record = record;
    } else if (b !== d) saveRow(db, row);
  });
  renameTrace(db, trace);
  nameSpans(db, executions, rows);
  const unnamedExec = trace.namer?.exec;
  for (const row of rows) {
    if (row.now.unnamed === 1 && unnamedExec !== undefined) row.now.exec = unnamedExec;
    if (row.before?.exec !== row.now.exec) wrong.add(row.now.exec).add(row.before?.exec ?? 0);
  }
  saveRows(db, executions, [trace]);
  mendGaps(db, trace.no);
}

function recordOf(db: Connection, executions: Executions, row: SpanRow): SpanRecord {
  const executionId = row.now.unnamed === 1 ? row.trace.id : executions.byNo(row.now.exec).id;
  return decodeRecord(executionId, storedTexts(db, row));
}

/** What waits for parents that are not there. No sum is wrong by it yet. */
function mendGaps(db: Connection, traceNo: number): void {
  db.statement("DELETE FROM span_gap WHERE trace_no = ?").run(traceNo);
  db.statement(
    `INSERT INTO span_gap SELECT c.trace_no, c.parent_id, max(c.sub & 1) + max(c.sub & 2) FROM span c
     WHERE c.trace_no = ? AND c.sub > 0 AND c.parent_id IS NOT NULL AND NOT EXISTS
       (SELECT 1 FROM span p WHERE p.trace_no = c.trace_no AND p.span_id = c.parent_id) GROUP BY c.trace_no, c.parent_id`,
  ).run(traceNo);
}

/** True when something of the execution differed, or `spansWrong` says that its spans did. */
function mendExecution(
  db: Connection,
  names: Names,
  scopeNo: number,
  execution: ExecutionRow,
  spansWrong: boolean,
): boolean {
  const { no } = execution;
  const usage = usageOf(db, names, scopeNo, no);
  const total = emptySums();
  for (const [, , ...sums] of usage) addSums(total, sums);
  const differs = [
    mendTable(
      db,
      "exec_trace",
      "trace_no, n_spans",
      no,
      "SELECT trace_no, count(*) FROM span WHERE exec_no = ? GROUP BY trace_no",
    ),
    mendTable(
      db,
      "exec_node",
      "node_no, n_spans",
      no,
      "SELECT node_no, count(*) FROM span WHERE exec_no = ? AND node_no <> 0 GROUP BY node_no",
    ),
    replaceRows(db, "exec_usage", `bucket, model_no, ${SUMS_READ}`, no, usage),
    mendRow(db, names, scopeNo, execution, total),
  ].includes(true);
  if (!differs && !spansWrong) return false;
  db.statement("UPDATE execution SET seq = seq + 1 WHERE exec_no = ?").run(no);
  return true;
}

function usageOf(db: Connection, names: Names, scopeNo: number, execNo: number): [number, number, ...Sums][] {
  const rows = db
    .statement("SELECT skeleton, below, start_ms FROM span WHERE exec_no = ? AND seq > 0 AND counts = 1")
    .all(execNo) as [string, number, number][];
  const cells = new Map<string, [number, number, ...Sums]>();
  for (const [text, below, startMs] of rows) {
    const skeleton = parseSkeleton(text);
    const added = sumsOf(skeleton, below);
    if (added === undefined) continue;
    const bucket = Math.floor(startMs / (QUARTER_SECONDS * 1e3)) * QUARTER_SECONDS;
    const modelNo = names.dim(scopeNo, DIM.model, modelKey(skeleton));
    const key = `${bucket}|${modelNo}`;
    const [, , ...sums] = cells.get(key) ?? [bucket, modelNo, ...emptySums()];
    addSums(sums, added);
    cells.set(key, [bucket, modelNo, ...sums]);
  }
  return [...cells.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function mendTable(
  db: Connection,
  table: string,
  columns: string,
  execNo: number,
  expected: string,
): boolean {
  return replaceRows(
    db,
    table,
    columns,
    execNo,
    db.statement(`${expected} ORDER BY 1`).all(execNo) as SqlValue[][],
  );
}

/** Puts rows in the place of those stored for the execution, where they differ. The tables' own order is that of their key. */
function replaceRows(
  db: Connection,
  table: string,
  columns: string,
  execNo: number,
  expected: readonly SqlValue[][],
): boolean {
  const stored = db
    .statement(`SELECT ${columns} FROM ${table} WHERE exec_no = ?`)
    .all(execNo) as SqlValue[][];
  const same =
    stored.length === expected.length && stored.every((row, index) => sameValues(row, expected[index] ?? []));
  if (same) return false;
  db.statement(`DELETE FROM ${table} WHERE exec_no = ?`).run(execNo);
  for (const row of expected) {
    db.statement(
      `INSERT INTO ${table} VALUES (${Array(row.length + 1)
        .fill("?")
        .join(", ")})`,
    ).run(execNo, ...row);
  }
  return true;
}

const COUNTED = `SELECT count(*), coalesce(sum(phase = 0), 0), coalesce(sum(is_error), 0), count(DISTINCT nullif(node_no, 0)),
  (SELECT count(*) FROM span_gone WHERE exec_no = ?) FROM span WHERE exec_no = ?`;

function mendRow(
  db: Connection,
  names: Names,
  scopeNo: number,
  execution: ExecutionRow,
  total: Sums,
): boolean {
  const { no } = execution;
  const [spans, open, errors, nodes, gone] = db.statement(COUNTED).get(no, no) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const first = db
    .statement("SELECT start_ms, start_ns FROM span WHERE exec_no = ? ORDER BY start_ms, start_ns LIMIT 1")
    .get(no) as [number, number] | undefined;
  const last = db
    .statement(
      "SELECT end_ms, end_ns FROM span WHERE exec_no = ? AND end_ms IS NOT NULL ORDER BY 1 DESC, 2 DESC LIMIT 1",
    )
    .get(no) as [number, number] | undefined;
  Object.assign(execution, { spans, open, errors, nodes, gone, first, last });
  const frame = frameOf(db, execution, () => undefined);
  const workflowNo = names.dim(scopeNo, DIM.workflow, frame.workflowId);
  const columns = [...COUNTERS, ...FRAME, ...SUM_COLUMNS];
  const expected = [...counters(execution), ...frameValues(execution, workflowNo, frame), ...total];
  const stored = db
    .statement(`SELECT ${[...COUNTERS, ...FRAME].join(", ")}, ${SUMS_READ} FROM execution WHERE exec_no = ?`)
    .get(no) as SqlValue[];
  if (sameValues(stored, expected)) return false;
  db.statement(
    `UPDATE execution SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE exec_no = ?`,
  ).run(...expected, no);
  return true;
}

function mendRollups(db: Connection, scopeNo: number): boolean {
  const sums = SUM_COLUMNS.join(", ");
  const key = "cube, grain, bucket, workflow_no, model_no";
  const { sumsFrom } = readMarks(db, scopeNo);
  // What is there, and what pruned executions had added.
  const finest = `SELECT e.workflow_no, u.bucket, u.model_no, ${SUM_COLUMNS.map((column) => `u.${column}`).join(", ")}
      FROM execution e JOIN exec_usage u ON u.exec_no = e.exec_no WHERE e.scope_no = ${scopeNo} AND u.bucket >= ${sumsFrom}
    UNION ALL SELECT workflow_no, bucket, model_no, ${sums} FROM usage
      WHERE scope_no = ${scopeNo} AND cube = ${PRUNED} AND bucket >= ${sumsFrom}`;
  const parts = CUBES.flatMap((cube) =>
    GRAINS.map(
      (grain) => `SELECT ${cube} cube, ${grain} grain, bucket / ${grain} * ${grain} bucket,
        ${cube & 1 ? "workflow_no" : "0"} workflow_no, ${cube & 2 ? "model_no" : "0"} model_no,
        ${SUM_COLUMNS.map((column) => `sum(${column}) ${column}`).join(", ")} FROM (${finest}) GROUP BY 3, 4, 5`,
    ),
  );
  const exec = (sql: string): void => db.database.exec(sql);
  exec("DROP TABLE IF EXISTS temp.expected");
  exec(`CREATE TEMP TABLE expected AS ${parts.join(" UNION ALL ")}`);
  const own = `scope_no = ${scopeNo} AND cube <> ${PRUNED}`;
  const stored = `SELECT ${key}, ${sums} FROM usage WHERE ${own}`;
  const expected = `SELECT ${key}, ${sums} FROM temp.expected`;
  const [differences] = db.database
    .prepare(
      `SELECT (SELECT count(*) FROM (${stored} EXCEPT ${expected})) + (SELECT count(*) FROM (${expected} EXCEPT ${stored}))`,
    )
    .get() as [number];
  if (differences > 0) {
    exec(`DELETE FROM usage WHERE ${own}`);
    exec(
      `INSERT INTO usage (scope_no, ${key}, ${sums}) SELECT ${scopeNo}, ${key}, ${sums} FROM temp.expected`,
    );
  }
  exec("DROP TABLE temp.expected");
  return differences > 0;
}

function sameValues(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
