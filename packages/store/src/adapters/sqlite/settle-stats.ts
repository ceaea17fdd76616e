import type { ExecutionStats } from "@spanloom/metrics";
import { EXECUTION_STATUSES, type ExecutionStatus } from "@spanloom/model";
import { joinTime } from "../../sql/row-codec.ts";
import { joinSums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { StatsFolds, StatsRow } from "./fold-stats.ts";
import { DIM, type Names } from "./names.ts";
import { createStatCells, type KeptStats, type StatCells } from "./stat-cells.ts";

/**
 * Statistics are settled after the write, so that writing does not pay for them: an execution whose `stats_seq` is behind
 * its `seq` takes back what it had added and adds what it adds now. Sums are exact once nothing is behind.
 */

/** What settling works with. */
export interface Settling {
  db: Connection;
  names: Names;
  scopeNo: number;
  folds: StatsFolds;
  cells: StatCells;
}

/** Settles executions of a scope for about so long. True when more are behind. */
export function settleStats(
  db: Connection,
  names: Names,
  scopeNo: number,
  folds: StatsFolds,
  lastMs: number,
): boolean {
  const cells = createStatCells(db, scopeNo);
  const settling: Settling = { db, names, scopeNo, folds, cells };
  // Writing the sums takes about as long as working out what goes into them.
  const deadline = performance.now() + lastMs / 2;
  let more = true;
  let inTime = true;
  while (more && inTime) {
    const rows = readUnsettled(db, scopeNo, AT_ONCE);
    inTime = rows.every((row) => settleOne(settling, row, deadline)) && performance.now() < deadline;
    more = rows.length === AT_ONCE || !isSettled(db, scopeNo);
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

const COLUMNS =
  "exec_no, seq, stats_seq = seq, hidden, status, workflow_no, start_ms, start_ns, duration_ms FROM execution";

export function readUnsettled(db: Connection, scopeNo: number, limit: number): StatsRow[] {
  // The condition is that of the index. Neighbours in time share rows of sums.
  return db
    .statement(`SELECT ${COLUMNS} WHERE scope_no = ? AND stats_seq < seq ORDER BY start_ms LIMIT ?`)
    .all(scopeNo, limit)
    .map(toRow);
}

export function readForStats(db: Connection, execNo: number): StatsRow {
  return toRow(db.statement(`SELECT ${COLUMNS} WHERE exec_no = ?`).get(execNo));
}

/**
 * Brings one execution's part up to date, in `cells` and in what is kept of it. False where the deadline came before the
 * end of a large one: to be called again.
 */
export function settleOne(
  { db, names, scopeNo, folds, cells }: Settling,
  row: StatsRow,
  deadline: number,
): boolean {
  const stats = folds.statsOf(row, deadline);
  if (stats === undefined) return false;
  const before = readKept(db, row.no);
  const now = toKept(names, scopeNo, row, stats);
  const text = now && JSON.stringify(now);
  if (text !== before) {
    if (before !== undefined) cells.add(JSON.parse(before) as KeptStats, -1);
    if (now !== undefined) cells.add(now, 1);
    saveKept(db, row.no, text);
  }
  db.statement("UPDATE execution SET stats_seq = seq WHERE exec_no = ?").run(row.no);
  return true;
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

/** Names as numbers; `undefined` for an execution without spans. */
export function toKept(
  names: Names,
  scopeNo: number,
  { workflowNo }: StatsRow,
  stats: ExecutionStats | null,
): KeptStats | undefined {
  if (stats === null) return undefined;
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

function toRow(found: unknown): StatsRow {
  const [no, seq, settled, hidden, status, workflowNo, startMs, startNs, durationMs] = found as [
    ...[no: number, seq: number, settled: number, hidden: number, status: ExecutionStatus],
    ...[workflowNo: number, startMs: number, startNs: number, durationMs: number | null],
  ];
  return {
    no,
    seq,
    settled: settled === 1,
    hidden: hidden === 1,
    status,
    workflowNo,
    startTime: joinTime([startMs, startNs]),
    durationMs: durationMs ?? undefined,
  };
}
