import {
  AnalyticsDraft,
  type AnalyticsRowDraft,
  type ExecutionStats,
  type LocalDay,
} from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  EXECUTION_STATUSES,
  type ExecutionStatus,
} from "@spanloom/model";
import { addSums, costSumOf, emptySums, joinSums, SUMS_READ, type Sums, usageSumOf } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { createStatsFolds } from "./fold-stats.ts";
import { DIM, type Names } from "./names.ts";
import { GRAINS } from "./rollups.ts";
import { readKept, readUnsettled } from "./settle-stats.ts";
import { countAll, type FlatSlots, type KeptStats, SERIES } from "./stat-cells.ts";

/**
 * What ran over a window of local days, from sums on the UTC grid. Executions whose statistics are behind are not in
 * them: `withUnsettled` works those out on the way, for when they cannot be written.
 */
export function readAnalytics(
  db: Connection,
  names: Names,
  scopeNo: number | undefined,
  query: AnalyticsQuery,
  nowMs: number,
  withUnsettled: boolean,
): Analytics {
  const draft = new AnalyticsDraft(query, nowMs);
  const { groupBy, workflowId } = query;
  const workflowNo =
    scopeNo === undefined || workflowId === undefined
      ? undefined
      : names.findDim(scopeNo, DIM.workflow, workflowId);
  const nothing = scopeNo === undefined || (workflowId !== undefined && workflowNo === undefined);
  if (nothing) return draft.finish();
  const answer = new Answer(draft);
  const reader = createReader(db, names, scopeNo, workflowNo, answer);
  for (const { from, to, key } of windowsOf(draft.days, groupBy === "day")) {
    for (const range of rangesOf(from, to)) {
      reader.executions(range, groupBy === "workflow", key);
      if (groupBy === "nodeType") reader.nodeTypes(range);
      if (groupBy === "model") reader.models(range);
    }
  }
  if (withUnsettled) addUnsettled(db, names, scopeNo, query, draft, answer);
  answer.finish();
  return draft.finish();
}

interface Window {
  from: number;
  to: number;
  /** The group of everything in it. */
  key: string | undefined;
}

function windowsOf(days: readonly LocalDay[], byDay: boolean): Window[] {
  if (byDay)
    return days.map(({ day, startSeconds, endSeconds }) => ({
      from: startSeconds,
      to: endSeconds,
      key: day,
    }));
  return [{ from: days[0]?.startSeconds ?? 0, to: days.at(-1)?.endSeconds ?? 0, key: undefined }];
}

/** Buckets of one grain, to be added or taken away. */
interface Range {
  grain: number;
  from: number;
  to: number;
  sign: 1 | -1;
}

const [QUARTER, HOUR, FOUR_HOURS, DAY] = GRAINS;

/** Whole UTC days, and at both ends what lies between them and the nearest UTC midnight, in the coarsest grains that fit. */
function rangesOf(from: number, to: number): Range[] {
  const ranges: Range[] = [];
  const add = (grain: number, start: number, end: number, sign: 1 | -1): void => {
    if (start < end) ranges.push({ grain, from: start, to: end, sign });
    else if (start > end) ranges.push({ grain, from: end, to: start, sign: sign === 1 ? -1 : 1 });
  };
  const edge = (seconds: number, sign: 1 | -1): void => {
    add(FOUR_HOURS, nearest(seconds, DAY), nearest(seconds, FOUR_HOURS), sign);
    add(HOUR, nearest(seconds, FOUR_HOURS), nearest(seconds, HOUR), sign);
    add(QUARTER, nearest(seconds, HOUR), seconds, sign);
  };
  add(DAY, nearest(from, DAY), nearest(to, DAY), 1);
  edge(to, 1);
  edge(from, -1);
  return ranges;
}

function nearest(seconds: number, grain: number): number {
  return Math.floor(seconds / grain + 0.5) * grain;
}

/** Whole numbers of a row, which a range may also take away from. They go into the draft once they are all there. */
interface Row {
  statuses: Map<number, number>;
  slots: Map<number, number>;
  sums: Sums;
}

class Answer {
  readonly total: Row = emptyRow();
  private readonly draft: AnalyticsDraft;
  private readonly groups = new Map<string, Row>();

  constructor(draft: AnalyticsDraft) {
    this.draft = draft;
  }

  group(key: string): Row {
    let row = this.groups.get(key);
    if (row === undefined) {
      row = emptyRow();
      this.groups.set(key, row);
    }
    return row;
  }

  rows(key: string | undefined): Row[] {
    return key === undefined ? [this.total] : [this.total, this.group(key)];
  }

  finish(): void {
    pour(this.total, this.draft.total);
    for (const [key, row] of this.groups) pour(row, this.draft.group(key));
  }
}

function emptyRow(): Row {
  return { statuses: new Map(), slots: new Map(), sums: emptySums() };
}

function pour({ statuses, slots, sums }: Row, into: AnalyticsRowDraft): void {
  for (const [status, count] of statuses) {
    into.addExecution(EXECUTION_STATUSES[status] as ExecutionStatus, count);
  }
  for (const [slot, count] of slots) into.addLatency(slot, count);
  into.addSums(usageSumOf(sums), costSumOf(sums));
}

interface Reader {
  /** Executions and what was spent: into the total, and into groups by workflow or by `key`. */
  executions(range: Range, byWorkflow: boolean, key: string | undefined): void;
  nodeTypes(range: Range): void;
  models(range: Range): void;
}

function createReader(
  db: Connection,
  names: Names,
  scopeNo: number,
  workflowNo: number | undefined,
  answer: Answer,
): Reader {
  const only = workflowNo === undefined ? [] : [workflowNo];
  const byWorkflow = workflowNo === undefined ? 0 : 1;
  const condition = `scope_no = ? AND cube = ? AND grain = ? AND bucket >= ? AND bucket < ?${
    workflowNo === undefined ? "" : " AND workflow_no = ?"
  }`;
  const read = (sql: string, cube: number, { grain, from, to }: Range): unknown[] =>
    db.statement(`${sql} ${condition}`).all(scopeNo, cube, grain, from, to, ...only);
  const readSlots = (series: number, cube: number, column: string, range: Range): [number, string][] =>
    read(`SELECT ${column}, slots FROM stat_slots WHERE series = ${series} AND`, cube, range) as [
      number,
      string,
    ][];
  const readSums = (table: string, cube: number, column: string, range: Range): [number, ...Sums][] =>
    read(`SELECT ${column}, ${SUMS_READ} FROM ${table} WHERE`, cube, range) as [number, ...Sums][];
  const keys = new Map<number, string>();
  const keyOf = (no: number): string => {
    let key = keys.get(no);
    if (key === undefined) {
      key = names.value(no);
      keys.set(no, key);
    }
    return key;
  };
  return {
    executions: (range, split, key) => {
      const cube = split ? 1 : byWorkflow;
      const column = split ? "workflow_no" : "0";
      const rowsOf = (no: number): Row[] => answer.rows(split ? keyOf(no) : key);
      for (const [no, slots] of readSlots(SERIES.status, cube, column, range)) {
        const counts = JSON.parse(slots) as FlatSlots;
        for (const row of rowsOf(no)) countAll(row.statuses, counts, range.sign);
      }
      for (const [no, slots] of readSlots(SERIES.duration, cube, column, range)) {
        const counts = JSON.parse(slots) as FlatSlots;
        for (const row of rowsOf(no)) countAll(row.slots, counts, range.sign);
      }
      for (const [no, ...sums] of readSums("usage", cube, column, range)) {
        for (const row of rowsOf(no)) addSums(row.sums, sums, range.sign);
      }
    },
    nodeTypes: (range) => {
      for (const [no, slots] of readSlots(SERIES.nodeType, byWorkflow, "key_no", range)) {
        countAll(answer.group(keyOf(no)).slots, JSON.parse(slots) as FlatSlots, range.sign);
      }
      for (const [no, ...sums] of readSums("stat_sums", byWorkflow, "key_no", range)) {
        addSums(answer.group(keyOf(no)).sums, sums, range.sign);
      }
    },
    models: (range) => {
      for (const [no, slots] of readSlots(SERIES.model, byWorkflow, "key_no", range)) {
        countAll(answer.group(keyOf(no)).slots, JSON.parse(slots) as FlatSlots, range.sign);
      }
      for (const [no, ...sums] of readSums("usage", byWorkflow | 2, "model_no", range)) {
        addSums(answer.group(keyOf(no)).sums, sums, range.sign);
      }
    },
  };
}

/** What executions add now whose statistics are behind, less what they had added. */
function addUnsettled(
  db: Connection,
  names: Names,
  scopeNo: number,
  { groupBy, workflowId }: AnalyticsQuery,
  draft: AnalyticsDraft,
  answer: Answer,
): void {
  const add = (stats: NamedStats, sign: 1 | -1): void => {
    const day = draft.dayOf(stats.bucket);
    if (day === undefined || (workflowId !== undefined && stats.workflow !== workflowId)) return;
    const key = groupBy === "day" ? day.day : groupBy === "workflow" ? stats.workflow : undefined;
    for (const row of answer.rows(key)) {
      countAll(row.statuses, [stats.status, 1], sign);
      if (stats.slot !== null) countAll(row.slots, [stats.slot, 1], sign);
    }
    if (groupBy === "nodeType") {
      for (const { key: type, sums, slots } of stats.nodeTypes) {
        addSums(answer.group(type).sums, sums, sign);
        countAll(answer.group(type).slots, slots, sign);
      }
    }
    if (groupBy !== "model") return;
    for (const { key: model, slots } of stats.models) countAll(answer.group(model).slots, slots, sign);
  };
  const folds = createStatsFolds(db);
  for (const row of readUnsettled(db, scopeNo, -1)) {
    const kept = readKept(db, row.no);
    if (kept !== undefined) add(namedKept(names, JSON.parse(kept) as KeptStats), -1);
    const stats = folds.statsOf(row, Number.POSITIVE_INFINITY) ?? null;
    if (stats !== null) add(namedStats(names.value(row.workflowNo), stats), 1);
  }
}

interface NamedStats {
  bucket: number;
  workflow: string;
  status: number;
  slot: number | null;
  nodeTypes: { key: string; sums: Sums; slots: FlatSlots }[];
  models: { key: string; slots: FlatSlots }[];
}

function namedKept(
  names: Names,
  [bucket, workflowNo, status, slot, nodeTypes, models]: KeptStats,
): NamedStats {
  return {
    bucket,
    workflow: names.value(workflowNo),
    status,
    slot,
    nodeTypes: nodeTypes.map(([no, sums, slots]) => ({ key: names.value(no), sums, slots })),
    models: models.map(([no, slots]) => ({ key: names.value(no), slots })),
  };
}

function namedStats(workflow: string, stats: ExecutionStats): NamedStats {
  const { bucket, status, slot = null, nodeTypes, models } = stats;
  return {
    bucket,
    workflow,
    status: EXECUTION_STATUSES.indexOf(status),
    slot,
    nodeTypes: nodeTypes.map(({ key, usage, cost, slots }) => ({
      key,
      sums: joinSums(usage, cost),
      slots: slots.flat(),
    })),
    models: models.map(({ key, slots }) => ({ key, slots: slots.flat() })),
  };
}
