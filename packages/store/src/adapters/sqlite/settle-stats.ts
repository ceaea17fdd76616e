import { type ExecutionStats, executionStats, summarizeExecution } from "@spanloom/metrics";
import { EXECUTION_STATUSES, type ExecutionStatus, isTerminal, type SpanRecord } from "@spanloom/model";
import { joinTime, parseSkeleton } from "../../sql/row-codec.ts";
import { joinSums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { DIM, type Names } from "./names.ts";
import { NO_PAYLOAD } from "./read-metrics.ts";
import { createStatCells, type KeptStats, type StatCells } from "./stat-cells.ts";

/**
 * Statistics are settled after the write, so that writing does not pay for them: an execution whose `stats_seq` is behind
 * its `seq` takes back what it had added and adds what it adds now. Sums are exact once nothing is behind.
 */

/** Settles executions of a scope for about so long. True when more are behind. */
export function settleStats(db: Connection, names: Names, scopeNo: number, lastMs: number): boolean {
  const cells = createStatCells(db, scopeNo);
  // Writing the sums takes about as long as working out what goes into them.
  const deadline = performance.now() + lastMs / 2;
  let more = true;
  while (more && performance.now() < deadline) {
    const rows = readUnsettled(db, scopeNo, AT_ONCE);
    for (const row of rows) settleOne(db, names, scopeNo, row, cells);
    more = rows.length === AT_ONCE;
  }
  cells.save();
  return more;
}

const AT_ONCE = 25;

/** Nothing of the scope is behind. */
export function isSettled(db: Connection, scopeNo: number): boolean {
  return readUnsettled(db, scopeNo, 1).length === 0;
}

/** A scope with executions that are behind. */
export function unsettledScope(db: Connection): number | undefined {
  const found = db
    .statement("SELECT scope_no FROM execution WHERE stats_seq < seq ORDER BY scope_no LIMIT 1")
    .get() as [number] | undefined;
  return found?.[0];
}

/** Of an execution's row what its statistics need. */
export interface UnsettledRow {
  no: number;
  hidden: boolean;
  status: ExecutionStatus;
  workflowNo: number;
  startTime: string;
  durationMs: number | undefined;
  /** Its statistics are those of its last change. */
  settled: boolean;
}

const COLUMNS =
  "exec_no, hidden, status, workflow_no, start_ms, start_ns, duration_ms, stats_seq = seq FROM execution";

export function readUnsettled(db: Connection, scopeNo: number, limit: number): UnsettledRow[] {
  // The condition is that of the index. Neighbours in time share rows of sums.
  return db
    .statement(`SELECT ${COLUMNS} WHERE scope_no = ? AND stats_seq < seq ORDER BY start_ms LIMIT ?`)
    .all(scopeNo, limit)
    .map(toRow);
}

export function readForStats(db: Connection, execNo: number): UnsettledRow {
  return toRow(db.statement(`SELECT ${COLUMNS} WHERE exec_no = ?`).get(execNo));
}

/** Brings one execution's part up to date, in `cells` and in what is kept of it. Gives what it adds now. */
export function settleOne(
  db: Connection,
  names: Names,
  scopeNo: number,
  row: UnsettledRow,
  cells: StatCells,
): KeptStats | undefined {
  const before = readKept(db, row.no);
  const now = toKept(names, scopeNo, row, statsOf(db, row));
  const text = now && JSON.stringify(now);
  if (text !== before) {
    if (before !== undefined) cells.add(JSON.parse(before) as KeptStats, -1);
    if (now !== undefined) cells.add(now, 1);
    saveKept(db, row.no, text);
  }
  db.statement("UPDATE execution SET stats_seq = seq WHERE exec_no = ?").run(row.no);
  return now;
}

export function readKept(db: Connection, execNo: number): string | undefined {
  const found = db.statement("SELECT stats FROM exec_stats WHERE exec_no = ?").get(execNo) as
    | [string]
    | undefined;
  return found?.[0];
}

export function saveKept(db: Connection, execNo: number, text: string | undefined): void {
  if (text === undefined) db.statement("DELETE FROM exec_stats WHERE exec_no = ?").run(execNo);
  else
    db.statement("INSERT INTO exec_stats VALUES (?, ?) ON CONFLICT DO UPDATE SET stats = excluded.stats").run(
      execNo,
      text,
    );
}

/** What the execution adds now, by the reference; `undefined` where it has no span. Its workflow is the row's number. */
export function statsOf(db: Connection, row: UnsettledRow): ExecutionStats | undefined {
  if (row.hidden) return undefined;
  const { status, startTime, durationMs } = row;
  // Until it has ended, only that it runs is counted.
  const { spans, below } = isTerminal(status) ? readMeasured(db, row.no) : NO_SPANS;
  const { nodes } = spans.length === 0 ? NO_NODES : summarizeExecution("", spans, 0, below);
  return executionStats({ startTime, status, ...(durationMs !== undefined && { durationMs }), nodes }, spans);
}

export function toKept(
  names: Names,
  scopeNo: number,
  { workflowNo }: UnsettledRow,
  stats: ExecutionStats | undefined,
): KeptStats | undefined {
  if (stats === undefined) return undefined;
  const { bucket, status, slot = null, nodeTypes, models } = stats;
  return [
    ...([bucket, workflowNo, EXECUTION_STATUSES.indexOf(status), slot] as const),
    nodeTypes.map(({ key, usage, cost, slots }) => [
      names.dim(scopeNo, DIM.nodeType, key),
      joinSums(usage, cost),
      slots.flat(),
    ]),
    models.map(({ key, slots }) => [names.dim(scopeNo, DIM.model, key), slots.flat()]),
  ];
}

const NO_SPANS = { spans: [], below: new Map<string, number>() };
const NO_NODES = { nodes: [] };

/** The execution's spans as nodes and calls see them. */
function readMeasured(db: Connection, execNo: number): { spans: SpanRecord[]; below: Map<string, number> } {
  const below = new Map<string, number>();
  const rows = db.statement("SELECT skeleton, below FROM span WHERE exec_no = ? AND seq > 0").all(execNo) as [
    string,
    number,
  ][];
  const spans = rows.map(([skeleton, bits]): SpanRecord => {
    const span = { ...parseSkeleton(skeleton), executionId: "", ...NO_PAYLOAD };
    if (bits !== 0) below.set(`${span.traceId}/${span.spanId}`, bits);
    return span;
  });
  return { spans, below };
}

function toRow(found: unknown): UnsettledRow {
  const [no, hidden, status, workflowNo, startMs, startNs, durationMs, settled] = found as [
    ...[no: number, hidden: number, status: ExecutionStatus, workflowNo: number],
    ...[startMs: number, startNs: number, durationMs: number | null, settled: number],
  ];
  return {
    no,
    hidden: hidden === 1,
    status,
    workflowNo,
    startTime: joinTime([startMs, startNs]),
    durationMs: durationMs ?? undefined,
    settled: settled === 1,
  };
}
