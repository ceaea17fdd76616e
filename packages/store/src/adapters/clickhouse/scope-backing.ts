import { compareNanos, microsOf, type UnixNanos } from "@spanloom/model";
import type { Backing, PlacedRef } from "../../ledger/backing.ts";
import type { LedgerChanges, Missing, StoredPart } from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { recordJson, skeletonJson } from "../../sql/row-codec.ts";
import { chunks } from "./chunks.ts";
import type { Database } from "./client.ts";
import { DAY_SECONDS, DerivedRows } from "./derived-rows.ts";
import { readAnalytics, readDailyCosts } from "./read-analytics.ts";
import { findExecutions, listExecutions } from "./read-executions.ts";
import { recover } from "./recover.ts";
import { loadPart, type Own, saveChanges } from "./rows.ts";
import { tracesOf } from "./span-rows.ts";

/** One scope's rows in ClickHouse. */
export class ClickHouseBacking implements Backing {
  private readonly db: Database;
  private readonly scope: string;
  private opened: Promise<void> | undefined;
  /** Each save's version is higher than all that were read, also those of other processes. */
  private version = 0;
  private readonly derived: DerivedRows;

  constructor(db: Database, scope: string) {
    this.db = db;
    this.scope = scope;
    this.derived = new DerivedRows(db, scope, {
      own: () => this.own(),
      sumsBefore: async () => (await this.retention()).sumsBefore,
    });
  }

  async watermark(): Promise<UnixNanos | undefined> {
    return (await this.retention()).before;
  }

  async setWatermark(before: UnixNanos): Promise<void> {
    const { sumsBefore } = await this.retention();
    await this.saveRetention(before, sumsBefore ?? "0");
  }

  async refresh(ledger: Ledger, ids: Missing): Promise<void> {
    this.opened ??= recover(this.db, this.scope, {
      load: (missing) => this.load(missing),
      restate: (execution) => this.derived.restate(execution),
      seen: (version) => this.seen(version),
    });
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
    return loadPart(this.db, this.scope, ids, (version) => this.seen(version));
  }

  async save(changes: LedgerChanges): Promise<void> {
    try {
      await saveChanges(this.db, this.scope, changes, this.nextVersion());
    } catch (error) {
      // Some of it may be stored: the next call sees to that first, as after a crash.
      this.opened = undefined;
      throw error;
    }
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

  recompute(execution: HeldExecution): Promise<boolean> {
    return this.derived.mend(execution);
  }

  private async seqs(executionIds: readonly string[]): Promise<Map<string, number>> {
    const seqs = new Map<string, number>();
    for (const ids of chunks(executionIds, 2000)) {
      const rows = await this.db.rows<{ execution_id: string; seq: number; version: number }>(
        `SELECT execution_id, seq, version FROM ${this.db.name}.execution
         WHERE scope = {scope:String} AND execution_id IN {ids:Array(String)} ORDER BY version DESC LIMIT 1 BY execution_id`,
        { scope: this.scope, ids },
      );
      for (const row of rows) {
        seqs.set(row.execution_id, row.seq);
        this.seen(row.version);
      }
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

  /** Another process may have written with a clock that is ahead. */
  private seen(version: number): void {
    this.version = Math.max(this.version, version);
  }

  private nextVersion(): number {
    this.version = Math.max(this.version + 1, Date.now() * 1000);
    return this.version;
  }
}
