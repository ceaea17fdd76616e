import { modelKey } from "@spanloom/metrics";
import type { StoredSkeleton } from "../../sql/row-codec.ts";
import { addSums, emptySums, sumsOf } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { compareInstants, type ExecutionRow, type Executions } from "./executions.ts";
import { DIM, type Names } from "./names.ts";
import { QUARTER_SECONDS } from "./rollups.ts";
import { countedOf, type SpanRow, type SpanState } from "./span-rows.ts";

export interface Counting {
  db: Connection;
  names: Names;
  scopeNo: number;
  executions: Executions;
}

/** Adds to its executions what a span is now, less what it was before. */
export function countChange(counting: Counting, row: SpanRow): void {
  const { executions, db } = counting;
  const { before, now } = row;
  const to = executions.byNo(now.exec);
  if (before !== undefined) {
    const from = executions.byNo(before.exec);
    tally(from, row, before, -1);
    if (from !== to || losesExtreme(from, before, now)) from.extremesLost ||= holdsExtreme(from, before);
    if (before.counts === 1) addUsage(counting, from, before, countedOf(db, row, "before"), -1);
  }
  tally(to, row, now, 1);
  const start = [now.startMs, now.startNs] as const;
  if (to.first === undefined || compareInstants(start, to.first) < 0) to.first = start;
  if (now.endMs !== null && now.endNs !== null) {
    const end = [now.endMs, now.endNs] as const;
    if (to.last === undefined || compareInstants(end, to.last) > 0) to.last = end;
  }
  if (now.counts === 1) addUsage(counting, to, now, countedOf(db, row, "now"), 1);
}

/** Adds or takes what descendants' changes alone make of a span's part in the sums. */
export function countBits(counting: Counting, row: SpanRow): void {
  const { before, now } = row;
  if (before === undefined || now.counts === 0) return;
  const execution = counting.executions.byNo(now.exec);
  const counted = countedOf(counting.db, row, "now");
  addUsage(counting, execution, before, counted, -1);
  addUsage(counting, execution, now, counted, 1);
}

function tally(execution: ExecutionRow, row: SpanRow, state: SpanState, sign: 1 | -1): void {
  execution.spans += sign;
  if (state.phase === 0) execution.open += sign;
  execution.errors += sign * state.isError;
  if (state.rootRank !== null) execution.rootsChanged = true;
  add(execution.traceDeltas, row.trace.no, sign);
  if (state.node !== 0) add(execution.nodeDeltas, state.node, sign);
}

function add(deltas: Map<number, number>, key: number, by: number): void {
  deltas.set(key, (deltas.get(key) ?? 0) + by);
}

function addUsage(
  { names, scopeNo }: Counting,
  execution: ExecutionRow,
  state: SpanState,
  counted: StoredSkeleton,
  sign: 1 | -1,
): void {
  const added = sumsOf(counted, state.below);
  if (added === undefined) return;
  const bucket = Math.floor(state.startMs / (QUARTER_SECONDS * 1e3)) * QUARTER_SECONDS;
  const modelNo = names.dim(scopeNo, DIM.model, modelKey(counted));
  const key = `${bucket}|${modelNo}`;
  let delta = execution.usage.get(key);
  if (delta === undefined) {
    delta = { bucket, modelNo, sums: emptySums() };
    execution.usage.set(key, delta);
  }
  addSums(delta.sums, added, sign);
}

function losesExtreme(execution: ExecutionRow, before: SpanState, now: SpanState): boolean {
  const { first } = execution;
  const startsLater = compareInstants([now.startMs, now.startNs], [before.startMs, before.startNs]) > 0;
  if (first !== undefined && startsLater) return true;
  if (before.endMs === null || before.endNs === null) return false;
  return now.endMs === null || compareInstants([now.endMs, now.endNs ?? 0], [before.endMs, before.endNs]) < 0;
}

function holdsExtreme({ first, last }: ExecutionRow, { startMs, startNs, endMs, endNs }: SpanState): boolean {
  if (first !== undefined && compareInstants([startMs, startNs], first) <= 0) return true;
  return last !== undefined && endMs !== null && compareInstants([endMs, endNs ?? 0], last) >= 0;
}
