import { canonicalJson, microsOf, type UnixNanos } from "@spanloom/model";
import { statsOf, summaryOf } from "../../ledger/answers.ts";
import type { ChangedExecution } from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import { SUM_COLUMNS } from "../../sql/sums.ts";
import type { Database } from "./client.ts";
import { executionRow, noStatsRow, type Own, statsRow, usageRow } from "./rows.ts";

export const DAY_SECONDS = 86_400;

export interface DerivedRowsOptions {
  /** Gives what the rows of the next save share. */
  own(): Own;
  /** Sums from before are not kept. */
  sumsBefore(): Promise<UnixNanos | undefined>;
}

/** What stands beside an execution's spans: its row, its statistics, its cells of usage. All of it follows from the spans. */
export class DerivedRows {
  private readonly db: Database;
  private readonly scope: string;
  private readonly options: DerivedRowsOptions;

  constructor(db: Database, scope: string, options: DerivedRowsOptions) {
    this.db = db;
    this.scope = scope;
    this.options = options;
  }

  /** Mends what differs from what the spans say, and tells whether anything did. */
  async mend(execution: HeldExecution): Promise<boolean> {
    const own = this.options.own();
    const wanted = await this.rowsOf(execution, own);
    const stored = await this.storedRows(execution.executionId);
    if (canonicalJson(comparable(wanted)) === canonicalJson(comparable(stored))) return false;
    await this.save(execution, own, wanted, stored);
    return true;
  }

  /**
   * As `mend`, after a crash: what differs was never told, so it gets a new number for those who follow. An execution that
   * spans have left is hidden, and one that was deleted counts nowhere.
   */
  async restate(execution: HeldExecution): Promise<void> {
    const own = this.options.own();
    const stored = await this.storedRows(execution.executionId);
    execution.seq++;
    await this.save(execution, own, await this.rowsOf(execution, own), stored);
  }

  private async save(execution: HeldExecution, own: Own, wanted: Rows, stored: Rows): Promise<void> {
    const known = new Set(wanted.cells.map(cellKey));
    const zero = Object.fromEntries(SUM_COLUMNS.map((column) => [column, 0]));
    const gone = stored.cells.filter((cell) => !known.has(cellKey(cell)));
    const unsaid = wanted.stats.length === 0 && stored.stats.length > 0;
    const stats = unsaid ? [noStatsRow(own, execution.executionId)] : wanted.stats;
    await this.db.insert("usage_cell", [
      ...wanted.cells,
      ...gone.map((cell) => ({ ...cell, ...own, ...zero })),
    ]);
    await this.db.insert("execution_stats", stats);
    await this.db.insert("execution", [wanted.execution]);
  }

  private async rowsOf(execution: HeldExecution, own: Own): Promise<Rows> {
    const { executionId, seq, deleted, spanCount } = execution;
    const sumsBefore = await this.options.sumsBefore();
    const least =
      sumsBefore === undefined ? 0 : Math.floor(microsOf(sumsBefore) / 1e6 / DAY_SECONDS) * DAY_SECONDS;
    const lastActivity = execution.lastActivity();
    const stats = spanCount > 0 ? statsOf(execution) : undefined;
    const changed: ChangedExecution = {
      ...{ executionId, seq, deleted },
      ...(spanCount > 0 && { summary: summaryOf(execution) }),
      ...(lastActivity !== undefined && { lastActivity }),
      ...(stats !== undefined && { stats }),
    };
    const workflowId = stats?.workflowId ?? "";
    const cells = [...execution.usage.values()].filter((cell) => cell.bucket >= least);
    return {
      execution: executionRow(own, changed),
      stats: stats !== undefined && stats.bucket >= least ? statsRow(own, changed) : [],
      cells: cells.map((cell) => usageRow(own, { ...cell, executionId, workflowId })) as CellRow[],
    };
  }

  private async storedRows(executionId: string): Promise<Rows> {
    const params = { scope: this.scope, id: executionId };
    // Times have more digits than numbers.
    const times = "* REPLACE (toString(start_time) AS start_time, toString(last_time) AS last_time)";
    const of = (table: string, key: string, columns = "*"): Promise<Record<string, unknown>[]> =>
      this.db.rows(
        `SELECT ${columns} FROM ${this.db.name}.${table} WHERE scope = {scope:String} AND execution_id = {id:String}
         ORDER BY version DESC LIMIT 1 BY ${key}`,
        params,
      );
    const [[execution = {}], stats, cells] = await Promise.all([
      of("execution", "execution_id", times),
      of("execution_stats", "execution_id"),
      of("usage_cell", "bucket, model"),
    ]);
    const shown = (cells as CellRow[]).filter((cell) => SUM_COLUMNS.some((column) => cell[column] !== 0));
    return { execution, stats, cells: shown };
  }
}

type CellRow = { bucket: number; model: string } & Record<string, unknown>;

interface Rows {
  execution: object;
  stats: object[];
  cells: CellRow[];
}

function cellKey({ bucket, model }: CellRow): string {
  return `${bucket}|${model}`;
}

/** The rows without what differs from save to save; times stand as text, as they are sent. */
function comparable({ execution, stats, cells }: Rows): never {
  const bare = (row: object): object => {
    const { version, ...rest } = row as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, typeof value === "object" ? value : String(value)]),
    );
  };
  const sorted = cells.toSorted((a, b) => (cellKey(a) < cellKey(b) ? -1 : 1));
  return [bare(execution), stats.map(bare), sorted.map(bare)] as never;
}
