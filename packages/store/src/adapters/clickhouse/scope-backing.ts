import { canonicalJson, compareNanos, microsOf, type UnixNanos } from "@spanloom/model";
import { statsOf, summaryOf } from "../../ledger/answers.ts";
import type { Backing, PlacedRef } from "../../ledger/backing.ts";
import type { ChangedExecution, LedgerChanges, Missing, StoredPart } from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { loadComponents } from "../../ledger/load-components.ts";
import { recordJson, skeletonJson } from "../../sql/row-codec.ts";
import { SUM_COLUMNS } from "../../sql/sums.ts";
import type { Database } from "./client.ts";
import { readAnalytics, readDailyCosts } from "./read-analytics.ts";
import { findExecutions, listExecutions } from "./read-executions.ts";
import {
  chunks,
  executionRow,
  loadPart,
  type Own,
  saveChanges,
  statsRow,
  tracesOf,
  usageRow,
} from "./rows.ts";

const DAY_SECONDS = 86_400;

/** One scope's rows in ClickHouse. */
export class ClickHouseBacking implements Backing {
  private readonly db: Database;
  private readonly scope: string;
  private opened: Promise<void> | undefined;
  /** The version of the last save: each is higher than all before, also those of other processes that wrote earlier. */
  private version = 0;

  constructor(db: Database, scope: string) {
    this.db = db;
    this.scope = scope;
  }

  async watermark(): Promise<UnixNanos | undefined> {
    return (await this.retention()).before;
  }

  async setWatermark(before: UnixNanos): Promise<void> {
    const { sumsBefore } = await this.retention();
    await this.saveRetention(before, sumsBefore ?? "0");
  }

  async refresh(ledger: Ledger, ids: Missing): Promise<void> {
    this.opened ??= this.open();
    try {
      await this.opened;
    } catch (error) {
      this.opened = undefined;
      throw error;
    }
    const held = ledger.component(ids).executionIds;
    const found = await this.seqs(held);
    for (const executionId of held) {
      // Another process has written meanwhile.
      if ((ledger.execution(executionId)?.seq ?? 0) === (found.get(executionId) ?? 0)) continue;
      ledger.forget({ traceIds: [], executionIds: [executionId] });
    }
  }

  load(ids: Missing): Promise<StoredPart> {
    return loadPart(this.db, this.scope, ids);
  }

  save(changes: LedgerChanges): Promise<void> {
    return saveChanges(this.db, this.scope, changes, this.nextVersion());
  }

  async records(spans: readonly PlacedRef[], view: "skeleton" | "full"): Promise<(string | undefined)[]> {
    const texts = new Map<string, { skeleton: string; rest: string }>();
    const rest = view === "full" ? "rest" : "'' AS rest";
    for (const part of chunks(spans, 2000)) {
      const rows = await this.db.rows<{ key: string; skeleton: string; rest: string }>(
        `SELECT concat(trace_id, span_id) AS key, skeleton, ${rest} FROM ${this.db.name}.span
         WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)} AND span_id IN {spans:Array(String)}
           AND concat(trace_id, span_id) IN {keys:Array(String)}
         ORDER BY version DESC LIMIT 1 BY trace_id, span_id`,
        {
          ...{ scope: this.scope, traces: tracesOf(part), spans: part.map((span) => span.spanId) },
          keys: part.map((span) => span.traceId + span.spanId),
        },
      );
      for (const row of rows) texts.set(row.key, row);
    }
    return spans.map(({ traceId, spanId, executionId }) => {
      const found = texts.get(traceId + spanId);
      if (found === undefined) return undefined;
      const id = JSON.stringify(executionId);
      return view === "full" ? recordJson(id, found.skeleton, found.rest) : skeletonJson(id, found.skeleton);
    });
  }

  listExecutions: Backing["listExecutions"] = (query) => listExecutions(this.db, this.scope, query);

  getExecutions: Backing["getExecutions"] = async (executionIds) => {
    const found = await findExecutions(this.db, this.scope, executionIds);
    return executionIds.flatMap((id) => {
      const row = found.get(id);
      return row === undefined || row.hidden ? [] : [structuredClone(row.summary)];
    });
  };

  getDailyCosts: Backing["getDailyCosts"] = (query) => readDailyCosts(this.db, this.scope, query, Date.now());

  getAnalytics: Backing["getAnalytics"] = (query) => readAnalytics(this.db, this.scope, query, Date.now());

  async oldExecutions(before: UnixNanos, limit: number): Promise<string[]> {
    const rows = await this.db.rows<{ execution_id: string }>(
      `SELECT execution_id FROM ${this.db.name}.execution FINAL
       WHERE scope = {scope:String} AND hidden = 0 AND last_time < toInt64({before:String})
       ORDER BY last_time, execution_id LIMIT ${limit}`,
      { scope: this.scope, before },
    );
    return rows.map((row) => row.execution_id);
  }

  async dropSums(before: UnixNanos): Promise<void> {
    const retention = await this.retention();
    const bucket = Math.floor(microsOf(before) / 1e6 / DAY_SECONDS) * DAY_SECONDS;
    if (retention.sumsBefore !== undefined && compareNanos(before, retention.sumsBefore) <= 0) return;
    await this.saveRetention(retention.before ?? "0", before);
    for (const table of ["usage_cell", "execution_stats"]) {
      await this.db.command(
        `DELETE FROM ${this.db.name}.${table} WHERE scope = {scope:String} AND bucket < {bucket:UInt64}`,
        { scope: this.scope, bucket },
      );
    }
  }

  async executionIds(): Promise<string[]> {
    const rows = await this.db.rows<{ execution_id: string }>(
      `SELECT execution_id FROM ${this.db.name}.execution FINAL WHERE scope = {scope:String} AND hidden = 0 ORDER BY execution_id`,
      { scope: this.scope },
    );
    return rows.map((row) => row.execution_id);
  }

  async recompute(execution: HeldExecution): Promise<boolean> {
    const { executionId } = execution;
    const wanted = await this.rowsOf(execution);
    const stored = await this.storedRows(executionId);
    if (canonicalJson(comparable(wanted)) === canonicalJson(comparable(stored))) return false;
    await this.restate(execution);
    return true;
  }

  /**
   * Once, before the first call: an insert that a crash cut off has left spans that no execution counts yet. Versions tell:
   * those of a save are the same in all tables, and executions are saved last.
   */
  private async open(): Promise<void> {
    const [row] = await this.db.rows<{ latest: number }>(
      `SELECT max(version) AS latest FROM ${this.db.name}.execution WHERE scope = {scope:String}`,
      { scope: this.scope },
    );
    const saved = row?.latest ?? 0;
    this.version = Math.max(this.version, saved);
    const left = await this.db.rows<{ trace_id: string; latest: number }>(
      `SELECT trace_id, max(version) AS latest FROM ${this.db.name}.span
       WHERE scope = {scope:String} AND version > {saved:UInt64} GROUP BY trace_id`,
      { scope: this.scope, saved },
    );
    if (left.length === 0) return;
    this.version = Math.max(this.version, ...left.map((one) => one.latest));
    const ledger = new Ledger();
    await loadComponents(
      ledger,
      { traceIds: left.map((one) => one.trace_id), executionIds: [] },
      async (ids) => withSeqsOfSpans(await this.load(ids)),
    );
    for (const execution of ledger.heldExecutions()) await this.restate(execution);
  }

  /** Saves again what stands beside an execution's spans. */
  private async restate(execution: HeldExecution): Promise<void> {
    const own = this.own();
    const { executionId } = execution;
    const { execution: row, stats, cells } = await this.rowsOf(execution, own);
    const known = new Set(cells.map(cellKey));
    const gone = (await this.storedRows(executionId)).cells.filter((cell) => !known.has(cellKey(cell)));
    const zero = Object.fromEntries(SUM_COLUMNS.map((column) => [column, 0]));
    await this.db.insert("usage_cell", [...cells, ...gone.map((cell) => ({ ...cell, ...own, ...zero }))]);
    await this.db.insert("execution_stats", stats);
    await this.db.insert("execution", [row]);
  }

  private async rowsOf(execution: HeldExecution, own: Own = this.own()): Promise<Rows> {
    const { executionId, seq, deleted } = execution;
    const { sumsBefore } = await this.retention();
    const least =
      sumsBefore === undefined ? 0 : Math.floor(microsOf(sumsBefore) / 1e6 / DAY_SECONDS) * DAY_SECONDS;
    const lastActivity = execution.lastActivity();
    const stats = statsOf(execution);
    const changed: ChangedExecution = {
      ...{ executionId, seq, deleted, summary: summaryOf(execution) },
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

  private async seqs(executionIds: readonly string[]): Promise<Map<string, number>> {
    const seqs = new Map<string, number>();
    for (const ids of chunks(executionIds, 2000)) {
      const rows = await this.db.rows<{ execution_id: string; latest: number }>(
        `SELECT execution_id, argMax(seq, version) AS latest FROM ${this.db.name}.execution
         WHERE scope = {scope:String} AND execution_id IN {ids:Array(String)} GROUP BY execution_id`,
        { scope: this.scope, ids },
      );
      for (const row of rows) seqs.set(row.execution_id, row.latest);
    }
    return seqs;
  }

  private async retention(): Promise<{ before?: UnixNanos; sumsBefore?: UnixNanos }> {
    const [row] = await this.db.rows<{ before: string; sums: string }>(
      `SELECT toString(before) AS before, toString(sums_before) AS sums FROM ${this.db.name}.retention
       WHERE scope = {scope:String} ORDER BY version DESC LIMIT 1`,
      { scope: this.scope },
    );
    if (row === undefined) return {};
    return {
      ...(row.before !== "0" && { before: row.before }),
      ...(row.sums !== "0" && { sumsBefore: row.sums }),
    };
  }

  private saveRetention(before: UnixNanos, sumsBefore: UnixNanos): Promise<void> {
    return this.db.insert("retention", [{ ...this.own(), before, sums_before: sumsBefore }]);
  }

  private own(): Own {
    return { scope: this.scope, version: this.nextVersion() };
  }

  private nextVersion(): number {
    this.version = Math.max(this.version + 1, Date.now() * 1000);
    return this.version;
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

/** What a crash left of spans that their execution does not count yet: its number is at least theirs. */
function withSeqsOfSpans(part: StoredPart): StoredPart {
  const executions = new Map(part.executions.map((one) => [one.executionId, one]));
  for (const { executionId, seq } of part.spans) {
    const one = executions.get(executionId) ?? { executionId, seq: 0, deleted: false, gone: [] };
    executions.set(executionId, { ...one, seq: Math.max(one.seq, seq) });
  }
  return { ...part, executions: [...executions.values()] };
}
