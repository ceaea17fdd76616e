import {
  addSums,
  emptySums,
  isZero,
  NOTHING_LEFT,
  SUM_COLUMNS,
  type Sums,
  takesAway,
} from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { readMarks } from "./retention-marks.ts";

/** The finest grain of sums over time. Every time zone stands on it. */
export const QUARTER_SECONDS = 900;
/** Grains of `usage` in seconds: quarter-hour, hour, four hours, UTC day. */
export const GRAINS: readonly [900, 3600, 14_400, 86_400] = [QUARTER_SECONDS, 3600, 14_400, 86_400];
/** How `usage` splits: bit 1 by workflow, bit 2 by model. */
export const CUBES = [0, 1, 2, 3] as const;
/** What pruned executions had added, by everything, in quarter-hours: it is also in the other cubes. */
export const PRUNED = 4;

/** Collects what a batch changes in the sums of a scope, and writes each changed row once. */
export interface Rollups {
  add(bucket: number, workflowNo: number, modelNo: number, sums: Sums, sign?: 1 | -1): void;
  save(): void;
  /** Keeps the same as what pruned executions had added. It is in the sums already. */
  savePruned(): void;
}

interface Cell {
  bucket: number;
  workflowNo: number;
  modelNo: number;
  sums: Sums;
}

/** SQL that adds sums to a row, or makes it. `columns` are the key. A parameter is a double; the cast keeps int64 sums exact. */
export function upsertSums(table: string, columns: readonly string[]): string {
  const names = [...columns, ...SUM_COLUMNS];
  const set = SUM_COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");
  return `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "CAST(? AS INTEGER)").join(", ")})
    ON CONFLICT DO UPDATE SET ${set}`;
}

const KEY = ["scope_no", "cube", "grain", "bucket", "workflow_no", "model_no"];
const UPSERT = upsertSums("usage", KEY);
const DELETE = `DELETE FROM usage WHERE ${KEY.map((column) => `${column} = ?`).join(" AND ")} AND ${NOTHING_LEFT}`;

export function createRollups(db: Connection, scopeNo: number): Rollups {
  const cells = new Map<string, Cell>();
  const { sumsFrom } = readMarks(db, scopeNo);
  return {
    add: (bucket, workflowNo, modelNo, sums, sign = 1) => {
      if (bucket >= sumsFrom) addTo(cells, bucket, workflowNo, modelNo, sums, sign);
    },
    savePruned: () => {
      for (const { bucket, workflowNo, modelNo, sums } of cells.values()) {
        db.statement(UPSERT).run(scopeNo, PRUNED, QUARTER_SECONDS, bucket, workflowNo, modelNo, ...sums);
      }
    },
    save: () => {
      const upsert = db.statement(UPSERT);
      for (const cube of CUBES) {
        // Each grain is added up from the one below it.
        let finer: Iterable<Cell> = cells.values();
        for (const grain of GRAINS) {
          const rows = new Map<string, Cell>();
          for (const { bucket, workflowNo, modelNo, sums } of finer) {
            const start = Math.floor(bucket / grain) * grain;
            addTo(rows, start, cube & 1 ? workflowNo : 0, cube & 2 ? modelNo : 0, sums, 1);
          }
          for (const { bucket, workflowNo, modelNo, sums } of rows.values()) {
            if (isZero(sums)) continue;
            upsert.run(scopeNo, cube, grain, bucket, workflowNo, modelNo, ...sums);
            if (takesAway(sums)) db.statement(DELETE).run(scopeNo, cube, grain, bucket, workflowNo, modelNo);
          }
          finer = rows.values();
        }
      }
    },
  };
}

function addTo(
  cells: Map<string, Cell>,
  bucket: number,
  workflowNo: number,
  modelNo: number,
  sums: Sums,
  sign: 1 | -1,
): void {
  const key = `${bucket}|${workflowNo}|${modelNo}`;
  let cell = cells.get(key);
  if (cell === undefined) {
    cell = { bucket, workflowNo, modelNo, sums: emptySums() };
    cells.set(key, cell);
  }
  addSums(cell.sums, sums, sign);
}
