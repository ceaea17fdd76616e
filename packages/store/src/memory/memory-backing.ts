import {
  type Analytics,
  type AnalyticsQuery,
  canonicalJson,
  compareNanos,
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionSummary,
  type ListExecutionsQuery,
  microsOf,
  type Page,
  type SpanRecord,
  spanKey,
  toSkeleton,
  type UnixNanos,
} from "@spanloom/model";
import { statsOf, summaryOf } from "../ledger/answers.ts";
import type { Backing, PlacedRef } from "../ledger/backing.ts";
import { analyticsOf, dailyCostsOf } from "../ledger/cell-answers.ts";
import { AnalyticsCells, cellsOf, UsageCells } from "../ledger/cells.ts";
import type {
  AnalyticsCell,
  ChangedExecution,
  ChangedSpan,
  ExecutionCell,
  GoneSpan,
  LedgerChanges,
  Missing,
  StoredExecution,
  StoredPart,
  StoredSpan,
  StoredTrace,
  UsageCell,
} from "../ledger/changes.ts";
import type { HeldExecution } from "../ledger/held-execution.ts";
import { listPage } from "../list-query.ts";

const DAY_SECONDS = 86_400;

/** The rows of one scope in this process. What it gives to callers shares nothing with them. */
export class MemoryBacking implements Backing {
  private readonly traces = new Map<string, TraceRow>();
  private readonly executions = new Map<string, ExecutionRow>();
  private readonly pruned = { usage: new UsageCells(), analytics: new AnalyticsCells() };
  private prunedBefore: UnixNanos | undefined;
  /** Sums of quarter-hours before this second were dropped. */
  private sumsFrom = 0;

  /** What is kept as it came needs no well-formed text. */
  recordProblem(): undefined {
    return undefined;
  }

  async watermark(): Promise<UnixNanos | undefined> {
    return this.prunedBefore;
  }

  async setWatermark(before: UnixNanos): Promise<void> {
    this.prunedBefore = before;
  }

  async load({ traceIds, executionIds }: Missing): Promise<StoredPart> {
    const spans = new Set<StoredSpan>();
    const executions: StoredExecution[] = [];
    const traces: StoredTrace[] = [];
    for (const traceId of traceIds) {
      const trace = this.traces.get(traceId);
      if (trace === undefined) continue;
      traces.push({ traceId, refusesUnnamed: trace.refusesUnnamed });
      for (const span of trace.spans.values()) spans.add(span);
    }
    for (const executionId of executionIds) {
      const execution = this.executions.get(executionId);
      if (execution === undefined) continue;
      const { seq, deleted } = execution.row;
      executions.push({ executionId, seq, deleted, gone: [...execution.gone.values()] });
      for (const span of execution.spans) spans.add(span);
    }
    return { spans: [...spans], executions, traces };
  }

  async save(changes: LedgerChanges): Promise<void> {
    for (const row of changes.executions) this.execution(row.executionId).row = row;
    for (const changed of changes.spans) this.saveSpan(changed);
    for (const { traceId, spanId } of changes.removed) {
      const trace = this.traces.get(traceId);
      const span = trace?.spans.get(spanId);
      if (trace === undefined || span === undefined) continue;
      this.executions.get(span.executionId)?.spans.delete(span);
      trace.spans.delete(spanId);
      if (trace.spans.size === 0 && !trace.refusesUnnamed) this.traces.delete(traceId);
    }
    for (const { executionId, ...gone } of changes.gone) {
      this.execution(executionId).gone.set(spanKey(gone), gone);
    }
    for (const { executionId, ...span } of changes.returned) {
      this.execution(executionId).gone.delete(spanKey(span));
    }
    for (const cell of changes.usage) saveCell(this.execution(cell.executionId).usage, cell);
    for (const { traceId, refusesUnnamed } of changes.traces) {
      this.trace(traceId).refusesUnnamed = refusesUnnamed;
    }
    for (const executionId of changes.forgotten) this.executions.delete(executionId);
    for (const cell of changes.pruned.rollup) this.pruned.usage.add(cell);
    for (const cell of changes.pruned.analytics) this.pruned.analytics.add(cell);
  }

  async records(spans: readonly PlacedRef[], view: "skeleton" | "full"): Promise<(string | undefined)[]> {
    return spans.map(({ traceId, spanId, executionId }) => {
      const span = this.traces.get(traceId)?.spans.get(spanId);
      if (span === undefined) return undefined;
      const record = view === "full" ? span.record : toSkeleton(span.record);
      return JSON.stringify(record.executionId === executionId ? record : { ...record, executionId });
    });
  }

  async listExecutions(query: ListExecutionsQuery): Promise<Page<ExecutionSummary>> {
    const page = listPage(this.summaries(), query);
    return { ...page, items: structuredClone(page.items) };
  }

  async getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]> {
    return executionIds.flatMap((id) => structuredClone(this.executions.get(id)?.row.summary) ?? []);
  }

  async getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts> {
    return dailyCostsOf(query, this.usageCells(), Date.now());
  }

  async getAnalytics(query: AnalyticsQuery): Promise<Analytics> {
    return analyticsOf(query, this.analyticsCells(), this.usageCells(), Date.now());
  }

  async oldExecutions(before: UnixNanos, limit: number): Promise<string[]> {
    const old: { executionId: string; lastActivity: UnixNanos }[] = [];
    for (const { row } of this.executions.values()) {
      const { executionId, lastActivity } = row;
      if (lastActivity === undefined || compareNanos(lastActivity, before) >= 0) continue;
      old.push({ executionId, lastActivity });
    }
    old.sort((a, b) => compareNanos(a.lastActivity, b.lastActivity));
    return old.slice(0, limit).map(({ executionId }) => executionId);
  }

  async dropSums(before: UnixNanos): Promise<void> {
    const seconds = Math.floor(microsOf(before) / 1e6);
    this.sumsFrom = Math.max(this.sumsFrom, Math.floor(seconds / DAY_SECONDS) * DAY_SECONDS);
    const { usage, analytics } = this.pruned;
    for (const cell of [...usage.values()]) if (cell.bucket < this.sumsFrom) usage.add(cell, -1);
    for (const cell of [...analytics.values()]) if (cell.bucket < this.sumsFrom) analytics.add(cell, -1);
  }

  async executionIds(): Promise<string[]> {
    return Array.from(this.summaries(), ({ executionId }) => executionId);
  }

  async recompute(execution: HeldExecution): Promise<boolean> {
    const stored = this.execution(execution.executionId);
    const { summary, stats, lastActivity } = stored.row;
    const now = {
      summary: summaryOf(execution),
      stats: statsOf(execution),
      lastActivity: execution.lastActivity(),
    };
    const usage = new Map<string, UsageCell>();
    const workflowId = now.stats?.workflowId ?? "";
    for (const cell of execution.usage.values()) {
      saveCell(usage, { ...cell, workflowId, sums: [...cell.sums] });
    }
    const differs =
      canonicalJson({ summary, stats, lastActivity }) !== canonicalJson(now) ||
      canonicalJson(Object.fromEntries(stored.usage)) !== canonicalJson(Object.fromEntries(usage));
    if (!differs) return false;
    const { executionId, seq, deleted } = stored.row;
    stored.row = {
      ...{ executionId, seq, deleted, summary: now.summary },
      ...(now.stats && { stats: now.stats }),
      ...(now.lastActivity !== undefined && { lastActivity: now.lastActivity }),
    };
    stored.usage = usage;
    return true;
  }

  private saveSpan({ facts, executionId, insSeq, seq, record }: ChangedSpan): void {
    const { spans } = this.trace(facts.traceId);
    const span = spans.get(facts.spanId);
    if (span === undefined) {
      if (record === undefined) throw new Error("A span moved that was never stored.");
      const added = { facts, executionId, insSeq, seq, record };
      spans.set(facts.spanId, added);
      this.execution(executionId).spans.add(added);
      return;
    }
    if (span.executionId !== executionId) {
      this.executions.get(span.executionId)?.spans.delete(span);
      this.execution(executionId).spans.add(span);
    }
    Object.assign(span, { facts, executionId, insSeq, seq, ...(record && { record }) });
  }

  private trace(traceId: string): TraceRow {
    let trace = this.traces.get(traceId);
    if (trace === undefined) {
      trace = { refusesUnnamed: false, spans: new Map() };
      this.traces.set(traceId, trace);
    }
    return trace;
  }

  private execution(executionId: string): ExecutionRow {
    let execution = this.executions.get(executionId);
    if (execution === undefined) {
      const row = { executionId, seq: 0, deleted: false };
      execution = { row, spans: new Set(), gone: new Map(), usage: new Map() };
      this.executions.set(executionId, execution);
    }
    return execution;
  }

  private *summaries(): Generator<ExecutionSummary, void, undefined> {
    for (const { row } of this.executions.values()) if (row.summary !== undefined) yield row.summary;
  }

  private *usageCells(): Generator<UsageCell, void, undefined> {
    yield* this.pruned.usage.values();
    for (const { usage } of this.executions.values()) {
      for (const cell of usage.values()) if (cell.bucket >= this.sumsFrom) yield cell;
    }
  }

  private *analyticsCells(): Generator<AnalyticsCell, void, undefined> {
    yield* this.pruned.analytics.values();
    for (const { row } of this.executions.values()) {
      if (row.stats !== undefined && row.stats.bucket >= this.sumsFrom) yield* cellsOf(row.stats);
    }
  }
}

interface SpanRow extends StoredSpan {
  record: SpanRecord;
}

interface TraceRow {
  refusesUnnamed: boolean;
  /** By span id. */
  spans: Map<string, SpanRow>;
}

interface ExecutionRow {
  row: ChangedExecution;
  spans: Set<SpanRow>;
  gone: Map<string, GoneSpan>;
  usage: Map<string, UsageCell>;
}

/** One cell of an execution; empty ones go. */
function saveCell(cells: Map<string, UsageCell>, cell: ExecutionCell | UsageCell): void {
  const { bucket, workflowId, model, sums } = cell;
  const key = `${bucket}|${model}`;
  if (sums.every((value) => value === 0)) cells.delete(key);
  else cells.set(key, { bucket, workflowId, model, sums });
}
