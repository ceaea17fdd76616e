import type { UnixNanos } from "@spanloom/model";
import { splitTime } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";
import { readMarks, saveMarks } from "./retention-marks.ts";
import { CUBES, GRAINS, PRUNED } from "./rollups.ts";
import { SERIES, STAT_CUBES } from "./stat-cells.ts";

const DAY_MS = 86_400_000;
/** Rows that go at a time, so that the deadline is kept. */
const AT_ONCE = 200;

/**
 * Drops the sums of whole UTC days that ended before a time, for good: executions that are still there add nothing to
 * those days any more. True when the deadline came before the last row. Inside one transaction.
 */
export function dropSums(
  db: Connection,
  names: Names,
  scope: string,
  sumsBefore: UnixNanos,
  deadline: number,
): boolean {
  const scopeNo = names.scope(scope);
  const marks = readMarks(db, scopeNo);
  const sumsFrom = Math.max(marks.sumsFrom, (Math.floor(splitTime(sumsBefore)[0] / DAY_MS) * DAY_MS) / 1000);
  if (sumsFrom > marks.sumsFrom) saveMarks(db, scopeNo, { ...marks, sumsFrom });
  for (const { table, key, where } of PARTS) {
    const sql = `DELETE FROM ${table} WHERE (${key}) IN
      (SELECT ${key} FROM ${table} WHERE scope_no = ? AND ${where} AND bucket < ? LIMIT ${AT_ONCE})`;
    while (Number(db.statement(sql).run(scopeNo, sumsFrom).changes) > 0) {
      if (performance.now() >= deadline) return true;
    }
  }
  return false;
}

interface Part {
  table: string;
  key: string;
  /** With it, an index leads to the oldest buckets. */
  where: string;
}

const PARTS: readonly Part[] = GRAINS.flatMap((grain) => [
  ...[...CUBES, PRUNED].map((cube) => ({
    table: "usage",
    key: "scope_no, cube, grain, bucket, workflow_no, model_no",
    where: `cube = ${cube} AND grain = ${grain}`,
  })),
  ...[...STAT_CUBES, PRUNED].flatMap((cube) => [
    {
      table: "stat_sums",
      key: "scope_no, cube, grain, bucket, workflow_no, key_no",
      where: `cube = ${cube} AND grain = ${grain}`,
    },
    ...Object.values(SERIES).map((series) => ({
      table: "stat_slots",
      key: "scope_no, series, cube, grain, bucket, workflow_no, key_no",
      where: `series = ${series} AND cube = ${cube} AND grain = ${grain}`,
    })),
  ]),
]);
