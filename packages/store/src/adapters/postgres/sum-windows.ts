import { rangesOf } from "../../sql/day-ranges.ts";
import { arrayOf, type SqlValue } from "./client.ts";
import type { Session } from "./database.ts";

/** A stretch of time between two quarter-hours, in Unix seconds. */
export interface Window {
  startSeconds: number;
  endSeconds: number;
}

export interface WindowSums {
  /** The table whose rows have scope, cube, grain, bucket. */
  table: string;
  cube: number;
  /** Only rows for which this holds; column names and numbers of ours. */
  where?: string;
  /** What to group by beside the window. */
  by: string;
  /** What to add up. */
  columns: readonly string[];
  grains: readonly number[];
}

/**
 * Adds up kept sums by window: `[window, key, ...columns]`. Nothing is rescanned: a window reads some rows of each grain.
 *
 * `OFFSET 0` here and elsewhere keeps the planner from making one join of it: on tables that it has not yet looked at it
 * would read all of a scope and compare each row with each range.
 */
export async function sumWindows(
  session: Session,
  scopeNo: number,
  windows: readonly Window[],
  { table, cube, where, by, columns, grains }: WindowSums,
): Promise<[window: number, key: number, ...sums: number[]][]> {
  const ranges = windows.flatMap(({ startSeconds, endSeconds }, window) =>
    rangesOf(startSeconds, endSeconds, grains).map((range) => ({ ...range, window })),
  );
  const list = (pick: (range: (typeof ranges)[number]) => SqlValue): string => arrayOf(ranges.map(pick));
  const rows = await session.rows(
    `SELECT r.win, ${by}, ${columns.map((column) => `sum(r.sign * u.${column})`).join(", ")}
     FROM unnest($1::int[], $2::float8[], $3::int[], $4::bigint[], $5::bigint[]) AS r(win, sign, grain, lo, hi)
     CROSS JOIN LATERAL (
       SELECT * FROM ${table} u WHERE u.scope_no = $6 AND u.cube = $7 AND u.grain = r.grain AND u.bucket >= r.lo AND u.bucket < r.hi
       ${where === undefined ? "" : `AND ${where}`} OFFSET 0) u
     GROUP BY 1, ${by}`,
    list((range) => range.window),
    list((range) => range.sign),
    list((range) => range.grain),
    list((range) => range.from),
    list((range) => range.to),
    scopeNo,
    cube,
  );
  return rows as [number, number, ...number[]][];
}
