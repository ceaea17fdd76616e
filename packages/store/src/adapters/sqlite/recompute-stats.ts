import { SUM_COLUMNS, SUMS_READ, type Sums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { SqlValue } from "./driver.ts";
import { createStatsFolds } from "./fold-stats.ts";
import type { Names } from "./names.ts";
import { readMarks } from "./retention-marks.ts";
import { PRUNED } from "./rollups.ts";
import { readForStats, readKept, saveKept, toKept } from "./settle-stats.ts";
import {
  addCell,
  addStats,
  type FlatSlots,
  NO_SLOTS,
  rollUp,
  SERIES,
  type StatCell,
  slotsOf,
  slotsText,
} from "./stat-cells.ts";

/**
 * Works the statistics out again, from the executions' rows and from what pruned ones had added, and mends what differs.
 * Nothing may be unsettled. Gives the executions that differed, and whether the sums over time did.
 */
export function mendStats(
  db: Connection,
  names: Names,
  scopeNo: number,
): { executions: string[]; sums: boolean } {
  const { sumsFrom } = readMarks(db, scopeNo);
  const folds = createStatsFolds(db);
  const cells = new Map<string, StatCell>();
  const wrong: string[] = [];
  const executions = db
    .statement("SELECT exec_no, execution_id FROM execution WHERE scope_no = ?")
    .all(scopeNo) as [number, string][];
  for (const [no, id] of executions) {
    const row = readForStats(db, no);
    const kept = toKept(names, scopeNo, row, folds.statsOf(row, Number.POSITIVE_INFINITY) ?? null);
    const text = kept && JSON.stringify(kept);
    if (text !== readKept(db, no)) {
      saveKept(db, no, text);
      wrong.push(id);
    }
    if (kept !== undefined && kept[0] >= sumsFrom) addStats(cells, kept, 1);
  }
  addPruned(db, scopeNo, sumsFrom, cells);
  const rows = [...rollUp(cells)];
  const slots = mendTable(db, scopeNo, SLOTS_TABLE, rows.flatMap(slotsRow));
  const sums = mendTable(db, scopeNo, SUMS_TABLE, rows.flatMap(sumsRow));
  return { executions: wrong, sums: slots || sums };
}

function addPruned(db: Connection, scopeNo: number, sumsFrom: number, cells: Map<string, StatCell>): void {
  const slots = db
    .statement(
      `SELECT series, bucket, workflow_no, key_no, slots FROM stat_slots WHERE scope_no = ? AND cube = ${PRUNED} AND bucket >= ?`,
    )
    .all(scopeNo, sumsFrom) as [number, number, number, number, string][];
  for (const [series, bucket, workflowNo, keyNo, text] of slots) {
    const counts = slotsOf(JSON.parse(text) as FlatSlots);
    addCell(cells, { series, bucket, workflowNo, keyNo, slots: counts, sums: undefined });
  }
  const sums = db
    .statement(
      `SELECT bucket, workflow_no, key_no, ${SUMS_READ} FROM stat_sums WHERE scope_no = ? AND cube = ${PRUNED} AND bucket >= ?`,
    )
    .all(scopeNo, sumsFrom) as [number, number, number, ...Sums][];
  for (const [bucket, workflowNo, keyNo, ...values] of sums) {
    addCell(cells, { series: SERIES.nodeType, bucket, workflowNo, keyNo, slots: new Map(), sums: values });
  }
}

interface Rolled {
  cube: number;
  grain: number;
  cell: StatCell;
}

function slotsRow({ cube, grain, cell }: Rolled): SqlValue[][] {
  const text = slotsText(cell.slots);
  if (text === NO_SLOTS) return [];
  return [[cell.series, cube, grain, cell.bucket, cell.workflowNo, cell.keyNo, text]];
}

function sumsRow({ cube, grain, cell }: Rolled): SqlValue[][] {
  if (cell.sums === undefined || cell.sums.every((value) => value === 0)) return [];
  return [[cube, grain, cell.bucket, cell.workflowNo, cell.keyNo, ...cell.sums]];
}

interface Table {
  name: string;
  columns: readonly string[];
  /** The columns as they are read. */
  read: string;
}

const SLOTS_KEY = ["series", "cube", "grain", "bucket", "workflow_no", "key_no"];
const SLOTS_TABLE: Table = {
  name: "stat_slots",
  columns: [...SLOTS_KEY, "slots"],
  read: [...SLOTS_KEY, "slots"].join(", "),
};
const SUMS_KEY = ["cube", "grain", "bucket", "workflow_no", "key_no"];
const SUMS_TABLE: Table = {
  name: "stat_sums",
  columns: [...SUMS_KEY, ...SUM_COLUMNS],
  read: [...SUMS_KEY, SUMS_READ].join(", "),
};

/** Puts rows in the place of those stored, where they differ. */
function mendTable(
  db: Connection,
  scopeNo: number,
  { name, columns, read }: Table,
  expected: SqlValue[][],
): boolean {
  const own = `scope_no = ? AND cube <> ${PRUNED}`;
  const stored = db.statement(`SELECT ${read} FROM ${name} WHERE ${own}`).all(scopeNo);
  const wanted = new Set(expected.map((row) => JSON.stringify(row)));
  if (stored.length === wanted.size && stored.every((row) => wanted.has(JSON.stringify(row)))) return false;
  db.statement(`DELETE FROM ${name} WHERE ${own}`).run(scopeNo);
  const values = columns.map((column) => (column === "slots" ? "?" : "CAST(? AS INTEGER)"));
  const insert = db.statement(
    `INSERT INTO ${name} (scope_no, ${columns.join(", ")}) VALUES (?, ${values.join(", ")})`,
  );
  for (const row of expected) insert.run(scopeNo, ...row);
  return true;
}
