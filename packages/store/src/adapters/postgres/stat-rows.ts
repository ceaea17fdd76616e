import { EXECUTION_STATUSES } from "@spanloom/model";
import type { AnalyticsCell, UsageCell } from "../../ledger/changes.ts";
import { addSums, emptySums, isZero, type Sums } from "../../sql/sums.ts";
import { DIM, dimKey, type NamedValue } from "./names.ts";

/** What `stat` counts: executions by status, how long they took, and how long nodes of a type and calls of a model took. */
export const STAT = { status: 0, latency: 1, nodeType: 2, model: 3 } as const;

/** How `usage` splits: bit 1 by workflow, bit 2 by model. */
const CUBES = [0, 1, 2, 3] as const;
/** Grains in seconds: quarter-hour, four hours, UTC day. The edge of a local day is eleven of them at most. */
export const GRAINS: readonly number[] = [900, 14_400, 86_400];
/** By node type, by model and by workflow and model together, reads much of single days: two grains bound a window well enough. */
export const KEYED_GRAINS: readonly number[] = [900, 86_400];
/** The grains of a cube of `usage`. */
export function grainsOf(cube: number): readonly number[] {
  return cube === 3 ? KEYED_GRAINS : GRAINS;
}

/** Rows of what pruned executions have added, by quarter-hour and everything else. */
export const PRUNED_GRAIN = 0;

/** A row of `usage`. */
export interface UsageRow {
  cube: number;
  grain: number;
  bucket: number;
  workflowNo: number;
  modelNo: number;
  sums: Sums;
}

/** A row of `stat`. */
export interface StatRow {
  kind: number;
  cube: number;
  grain: number;
  bucket: number;
  workflowNo: number;
  keyNo: number;
  slot: number;
  count: number;
}

/** A row of `stat_usage`. */
export interface StatUsageRow extends Omit<UsageRow, "modelNo"> {
  typeNo: number;
}

const STATUSES: readonly string[] = EXECUTION_STATUSES;

type Numbers = ReadonlyMap<string, number>;

/** The names that the cells hold, to be made numbers. */
export function namesOf(usage: readonly UsageCell[], cells: readonly AnalyticsCell[]): NamedValue[] {
  const named: NamedValue[] = [];
  for (const { workflowId, model } of usage) named.push([DIM.workflow, workflowId], [DIM.model, model]);
  for (const { workflowId, dim, key } of cells) {
    named.push([DIM.workflow, workflowId]);
    if (dim === "nodeType" || dim === "model") named.push([DIM[dim], key]);
  }
  return named;
}

/** Every row that the cells change, in every cube and grain. */
export function usageRows(cells: readonly UsageCell[], numbers: Numbers): UsageRow[] {
  const rows = new Map<string, UsageRow>();
  for (const cell of cells) {
    const workflow = numbers.get(dimKey(DIM.workflow, cell.workflowId)) ?? 0;
    const model = numbers.get(dimKey(DIM.model, cell.model)) ?? 0;
    for (const cube of CUBES) {
      for (const grain of grainsOf(cube))
        addUsage(rows, cube, grain, cell, cube & 1 ? workflow : 0, cube & 2 ? model : 0);
    }
  }
  return [...rows.values()].filter(({ sums }) => !isZero(sums));
}

/** Rows of {@link PRUNED_GRAIN}. */
export function prunedUsageRows(cells: readonly UsageCell[], numbers: Numbers): UsageRow[] {
  return cells.map(({ bucket, workflowId, model, sums }) => ({
    ...{ cube: 3, grain: PRUNED_GRAIN, bucket, sums },
    workflowNo: numbers.get(dimKey(DIM.workflow, workflowId)) ?? 0,
    modelNo: numbers.get(dimKey(DIM.model, model)) ?? 0,
  }));
}

export interface StatRows {
  stats: StatRow[];
  usage: StatUsageRow[];
}

export function statRows(cells: readonly AnalyticsCell[], numbers: Numbers): StatRows {
  const stats = new Map<string, StatRow>();
  const usage = new Map<string, StatUsageRow>();
  for (const cell of cells) {
    const { kind, workflowNo, keyNo } = placeOf(cell, numbers);
    const grains = kind === STAT.nodeType || kind === STAT.model ? KEYED_GRAINS : GRAINS;
    for (const cube of [0, 1]) {
      for (const grain of grains)
        add(stats, usage, cell, kind, cube, grain, cube === 1 ? workflowNo : 0, keyNo);
    }
  }
  return settled(stats, usage);
}

/** Rows of {@link PRUNED_GRAIN}. */
export function prunedStatRows(cells: readonly AnalyticsCell[], numbers: Numbers): StatRows {
  const stats = new Map<string, StatRow>();
  const usage = new Map<string, StatUsageRow>();
  for (const cell of cells) {
    const { kind, workflowNo, keyNo } = placeOf(cell, numbers);
    add(stats, usage, cell, kind, 1, PRUNED_GRAIN, workflowNo, keyNo);
  }
  return settled(stats, usage);
}

function placeOf({ dim, key, workflowId }: AnalyticsCell, numbers: Numbers) {
  const workflowNo = numbers.get(dimKey(DIM.workflow, workflowId)) ?? 0;
  if (dim === "execution") {
    return { kind: STAT.status, workflowNo, keyNo: STATUSES.indexOf(key) };
  }
  if (dim === "latency") return { kind: STAT.latency, workflowNo, keyNo: 0 };
  return { kind: STAT[dim], workflowNo, keyNo: numbers.get(dimKey(DIM[dim], key)) ?? 0 };
}

function add(
  stats: Map<string, StatRow>,
  usage: Map<string, StatUsageRow>,
  { bucket: quarter, slot, count, sums }: AnalyticsCell,
  kind: number,
  cube: number,
  grain: number,
  workflowNo: number,
  keyNo: number,
): void {
  const bucket = startOf(quarter, grain);
  const place = `${cube}|${grain}|${bucket}|${workflowNo}|${keyNo}`;
  if (sums !== undefined) {
    const row = usage.get(place);
    if (row !== undefined) addSums(row.sums, sums);
    else usage.set(place, { cube, grain, bucket, workflowNo, typeNo: keyNo, sums: addedTo(sums) });
  }
  if (count === 0) return;
  const key = `${kind}|${place}|${slot}`;
  const row = stats.get(key);
  if (row !== undefined) row.count += count;
  else stats.set(key, { kind, cube, grain, bucket, workflowNo, keyNo, slot, count });
}

function settled(stats: ReadonlyMap<string, StatRow>, usage: ReadonlyMap<string, StatUsageRow>): StatRows {
  return {
    stats: [...stats.values()].filter(({ count }) => count !== 0),
    usage: [...usage.values()].filter(({ sums }) => !isZero(sums)),
  };
}

function addUsage(
  rows: Map<string, UsageRow>,
  cube: number,
  grain: number,
  { bucket: quarter, sums }: UsageCell,
  workflowNo: number,
  modelNo: number,
): void {
  const bucket = startOf(quarter, grain);
  const key = `${cube}|${grain}|${bucket}|${workflowNo}|${modelNo}`;
  const row = rows.get(key);
  if (row !== undefined) addSums(row.sums, sums);
  else rows.set(key, { cube, grain, bucket, workflowNo, modelNo, sums: addedTo(sums) });
}

function startOf(bucket: number, grain: number): number {
  return grain === PRUNED_GRAIN ? bucket : Math.floor(bucket / grain) * grain;
}

function addedTo(sums: Sums): Sums {
  const own = emptySums();
  addSums(own, sums);
  return own;
}
