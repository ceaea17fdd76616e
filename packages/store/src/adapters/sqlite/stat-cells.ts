import { addSums, emptySums, isZero, NOTHING_LEFT, type Sums, takesAway } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { readMarks } from "./retention-marks.ts";
import { GRAINS, PRUNED, QUARTER_SECONDS, upsertSums } from "./rollups.ts";

/** What `stat_slots` counts; see the schema. */
export const SERIES = { status: 0, duration: 1, nodeType: 2, model: 3 } as const;
/** How the statistics split: the total, and by workflow. */
export const STAT_CUBES = [0, 1] as const;

/** `[slot, count, slot, count, ...]` */
export type FlatSlots = number[];

/** What one execution adds to analytics, as `exec_stats` keeps it: names are numbers. */
export type KeptStats = [
  bucket: number,
  workflowNo: number,
  /** An index of EXECUTION_STATUSES. */
  status: number,
  slot: number | null,
  nodeTypes: [typeNo: number, sums: Sums, slots: FlatSlots][],
  models: [modelNo: number, slots: FlatSlots][],
];

/** Collects what executions add to the statistics of a scope, and writes each changed row once. */
export interface StatCells {
  add(stats: KeptStats, sign: 1 | -1): void;
  save(): void;
  /** Keeps the same as what pruned executions had added. It is in the statistics already. */
  savePruned(): void;
}

export interface StatCell {
  series: number;
  bucket: number;
  workflowNo: number;
  keyNo: number;
  slots: Map<number, number>;
  sums: Sums | undefined;
}

export function createStatCells(db: Connection, scopeNo: number): StatCells {
  const cells = new Map<string, StatCell>();
  const { sumsFrom } = readMarks(db, scopeNo);
  return {
    add: (stats, sign) => {
      if (stats[0] >= sumsFrom) addStats(cells, stats, sign);
    },
    save: () => {
      for (const { cube, grain, cell } of rollUp(cells)) saveCell(db, scopeNo, cube, grain, cell);
    },
    savePruned: () => {
      for (const cell of cells.values()) saveCell(db, scopeNo, PRUNED, QUARTER_SECONDS, cell);
    },
  };
}

/** Adds what an execution adds, by quarter-hour, workflow and key. */
export function addStats(cells: Map<string, StatCell>, stats: KeptStats, sign: 1 | -1): void {
  const [bucket, workflowNo, status, slot, nodeTypes, models] = stats;
  const at = (series: number, keyNo: number): StatCell => cellAt(cells, series, bucket, workflowNo, keyNo);
  count(at(SERIES.status, 0).slots, status, sign);
  if (slot !== null) count(at(SERIES.duration, 0).slots, slot, sign);
  for (const [typeNo, sums, slots] of nodeTypes) {
    const cell = at(SERIES.nodeType, typeNo);
    countAll(cell.slots, slots, sign);
    cell.sums ??= emptySums();
    addSums(cell.sums, sums, sign);
  }
  for (const [modelNo, slots] of models) countAll(at(SERIES.model, modelNo).slots, slots, sign);
}

/** Adds all that a cell holds. */
export function addCell(
  cells: Map<string, StatCell>,
  { series, bucket, workflowNo, keyNo, slots, sums }: StatCell,
): void {
  const cell = cellAt(cells, series, bucket, workflowNo, keyNo);
  for (const [slot, times] of slots) count(cell.slots, slot, times);
  if (sums === undefined) return;
  cell.sums ??= emptySums();
  addSums(cell.sums, sums);
}

/** Every row that the cells make, in every cube and grain; each grain is added up from the one below it. */
export function* rollUp(
  cells: ReadonlyMap<string, StatCell>,
): Generator<{ cube: number; grain: number; cell: StatCell }> {
  for (const cube of STAT_CUBES) {
    let finer: Iterable<StatCell> = cells.values();
    for (const grain of GRAINS) {
      const rows = new Map<string, StatCell>();
      for (const cell of finer) {
        const bucket = Math.floor(cell.bucket / grain) * grain;
        addCell(rows, { ...cell, bucket, workflowNo: cube === 1 ? cell.workflowNo : 0 });
      }
      for (const cell of rows.values()) yield { cube, grain, cell };
      finer = rows.values();
    }
  }
}

const SLOTS_KEY = "scope_no, series, cube, grain, bucket, workflow_no, key_no";
const WHERE_SLOTS = `WHERE (${SLOTS_KEY}) = (?, ?, ?, ?, ?, ?, ?)`;
const READ_SLOTS = `SELECT slots FROM stat_slots ${WHERE_SLOTS}`;
const DELETE_SLOTS = `DELETE FROM stat_slots ${WHERE_SLOTS}`;
const UPSERT_SLOTS = `INSERT INTO stat_slots (${SLOTS_KEY}, slots) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET slots = excluded.slots`;

const SUMS_KEY = ["scope_no", "cube", "grain", "bucket", "workflow_no", "key_no"];
const UPSERT_SUMS = upsertSums("stat_sums", SUMS_KEY);
const DELETE_SUMS = `DELETE FROM stat_sums WHERE (${SUMS_KEY.join(", ")}) = (?, ?, ?, ?, ?, ?) AND ${NOTHING_LEFT}`;

function saveCell(db: Connection, scopeNo: number, cube: number, grain: number, cell: StatCell): void {
  const { series, bucket, workflowNo, keyNo, slots, sums } = cell;
  const key = [scopeNo, series, cube, grain, bucket, workflowNo, keyNo] as const;
  if ([...slots.values()].some((times) => times !== 0)) {
    const stored = db.statement(READ_SLOTS).get(...key) as [string] | undefined;
    const text = slotsText(stored === undefined ? slots : merged(slots, stored[0]));
    if (text === NO_SLOTS) db.statement(DELETE_SLOTS).run(...key);
    else db.statement(UPSERT_SLOTS).run(...key, text);
  }
  if (sums === undefined || isZero(sums)) return;
  const own = [scopeNo, cube, grain, bucket, workflowNo, keyNo] as const;
  db.statement(UPSERT_SUMS).run(...own, ...sums);
  if (takesAway(sums)) db.statement(DELETE_SUMS).run(...own);
}

export const NO_SLOTS = "[]";

/** What is counted, in the order of slots. */
export function slotsText(slots: ReadonlyMap<number, number>): string {
  return JSON.stringify(
    [...slots]
      .filter(([, times]) => times !== 0)
      .sort(([a], [b]) => a - b)
      .flat(),
  );
}

function merged(slots: ReadonlyMap<number, number>, stored: string): Map<number, number> {
  const all = new Map(slots);
  countAll(all, JSON.parse(stored) as FlatSlots, 1);
  return all;
}

export function slotsOf(slots: FlatSlots): Map<number, number> {
  const counts = new Map<number, number>();
  countAll(counts, slots, 1);
  return counts;
}

export function countAll(into: Map<number, number>, slots: FlatSlots, sign: 1 | -1): void {
  for (let at = 0; at < slots.length; at += 2) {
    count(into, slots[at] as number, sign * (slots[at + 1] as number));
  }
}

function count(into: Map<number, number>, slot: number, times: number): void {
  into.set(slot, (into.get(slot) ?? 0) + times);
}

function cellAt(
  cells: Map<string, StatCell>,
  series: number,
  bucket: number,
  workflowNo: number,
  keyNo: number,
): StatCell {
  const key = `${series}|${bucket}|${workflowNo}|${keyNo}`;
  let cell = cells.get(key);
  if (cell === undefined) {
    cell = { series, bucket, workflowNo, keyNo, slots: new Map(), sums: undefined };
    cells.set(key, cell);
  }
  return cell;
}
