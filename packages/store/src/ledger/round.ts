import { contributionOf, type SpanRecord, spanKey } from "@spanloom/model";
import type { AdmittedRecord } from "./admit.ts";
import { statsOf, summaryOf } from "./answers.ts";
import { AnalyticsCells, UsageCells } from "./cells.ts";
import type { ChangedExecution, ChangedSpan, LedgerChanges, Missing, SpanRef } from "./changes.ts";
import type { SpanFacts } from "./facts.ts";
import { type HeldSpan, type HeldTrace, placeOf } from "./held.ts";
import type { HeldExecution } from "./held-execution.ts";
import { LeafBits } from "./leaf-bits.ts";

/** One change of the ledger under way: what it touched, and in the end what a backing must save. */
export class Round {
  /** Records that this change brought, by the span that holds them. */
  readonly brought: Map<HeldSpan, AdmittedRecord> = new Map();
  readonly bits: LeafBits = new LeafBits((span) => this.touch(span));
  private readonly executionOf: (executionId: string) => HeldExecution;
  private readonly touched: HeldSpan[] = [];
  private readonly placed: Set<HeldSpan> = new Set();
  private readonly removed: SpanRef[] = [];
  private readonly executions = new Set<HeldExecution>();
  private readonly traces = new Set<HeldTrace>();
  /** Feed entries that came or went as tombstones, and whether they were tombstones before. */
  private readonly tombstones = new Map<HeldExecution, Map<string, { span: SpanRef; was: boolean }>>();

  constructor(executionOf: (executionId: string) => HeldExecution) {
    this.executionOf = executionOf;
  }

  /** Keeps what a span is before it changes for the first time. A new one is touched with its place still empty. */
  touch(span: HeldSpan): void {
    if (span.before !== undefined) return;
    const isNew = span.entry.span === undefined;
    span.before = { view: isNew ? undefined : span.view, below: span.below };
    this.touched.push(span);
  }

  /** Puts a span whose record or name changed where it belongs, as that execution's latest change. */
  place(trace: HeldTrace, span: HeldSpan): void {
    const executionId = placeOf(trace, span);
    const { facts, view, entry } = span;
    this.touch(span);
    const stays = entry.span === span && view.executionId === executionId;
    if (entry.span === span && !stays) this.leave(trace, span);
    span.view = facts.executionId === executionId ? facts : { ...facts, executionId };
    const execution = this.executionOf(executionId);
    execution.seq++;
    if (!stays) {
      this.comeBack(execution, span);
      span.entry = { traceId: facts.traceId, spanId: facts.spanId, span, insSeq: execution.seq, seq: 0 };
      trace.executions.set(executionId, (trace.executions.get(executionId) ?? 0) + 1);
    }
    span.entry.seq = execution.seq;
    execution.feed.append(span.entry, !stays);
    this.executions.add(execution);
    this.placed.add(span);
  }

  /** Takes a span out of its execution and leaves a tombstone in that feed. */
  leave(trace: HeldTrace, span: HeldSpan): void {
    const { entry, view } = span;
    const execution = this.executionOf(view.executionId);
    const key = spanKey(view);
    execution.seq++;
    entry.span = undefined;
    entry.seq = execution.seq;
    execution.feed.append(entry, false);
    execution.gone.set(key, entry);
    this.noteTombstone(execution, key, entry, false);
    const left = (trace.executions.get(view.executionId) ?? 1) - 1;
    if (left === 0) trace.executions.delete(view.executionId);
    else trace.executions.set(view.executionId, left);
    this.executions.add(execution);
  }

  /** Takes a span away for good. */
  remove(trace: HeldTrace, span: HeldSpan): void {
    this.touch(span);
    this.leave(trace, span);
    trace.spans.delete(span.facts.spanId);
    this.removed.push({ traceId: trace.traceId, spanId: span.facts.spanId });
    this.bits.breakTrace(trace);
  }

  refuseUnnamed(trace: HeldTrace): void {
    trace.refusesUnnamed = true;
    this.traces.add(trace);
  }

  /** Everything that it has touched so far. */
  ids(): Missing {
    return {
      traceIds: this.touched.map(({ facts }) => facts.traceId),
      executionIds: [
        ...Array.from(this.executions, ({ executionId }) => executionId),
        ...this.touched.map(({ view }) => view.executionId),
      ],
    };
  }

  /** Brings every sum up to date and says what changed. */
  finish(): LedgerChanges {
    this.bits.finish();
    for (const span of this.touched) this.expect(span);
    for (const span of this.touched) this.recount(span);
    const rollup = new UsageCells();
    const analytics = new AnalyticsCells();
    const changes = emptyChanges();
    for (const execution of this.executions) {
      execution.mend();
      if (execution.recounted && execution.seq === execution.settled.seq) execution.seq++;
      execution.recounted = false;
      if (execution.seq === execution.settled.seq) continue;
      changes.executions.push(settle(execution, changes, rollup, analytics));
    }
    for (const span of this.placed) {
      if (span.entry.span === span) changes.spans.push(new PlacedSpan(span, this.brought.get(span)));
    }
    changes.removed = this.removed;
    this.addTombstones(changes);
    changes.rollup = [...rollup.values()];
    changes.analytics = [...analytics.values()];
    changes.traces = Array.from(this.traces, ({ traceId, refusesUnnamed }) => ({ traceId, refusesUnnamed }));
    return changes;
  }

  /** A span that comes back to an execution is no longer gone there. */
  private comeBack(execution: HeldExecution, span: HeldSpan): void {
    if (execution.gone.size === 0) return;
    const key = spanKey(span.facts);
    const tombstone = execution.gone.get(key);
    if (tombstone === undefined) return;
    execution.gone.delete(key);
    execution.feed.drop(tombstone);
    this.noteTombstone(execution, key, tombstone, true);
  }

  private noteTombstone(execution: HeldExecution, key: string, span: SpanRef, was: boolean): void {
    let noted = this.tombstones.get(execution);
    if (noted === undefined) {
      noted = new Map();
      this.tombstones.set(execution, noted);
    }
    if (!noted.has(key)) noted.set(key, { span, was });
  }

  private addTombstones(changes: LedgerChanges): void {
    for (const [{ executionId, gone }, noted] of this.tombstones) {
      for (const [key, { span, was }] of noted) {
        const { traceId, spanId } = span;
        const seq = gone.get(key)?.seq;
        if (seq !== undefined) changes.gone.push({ executionId, traceId, spanId, seq });
        else if (was) changes.returned.push({ executionId, traceId, spanId });
      }
    }
  }

  /** Tells the execution where a span was that it changes. */
  private expect(span: HeldSpan): void {
    const was = span.before?.view;
    const now = span.entry.span === span ? span.view : undefined;
    if (was === undefined || was === now) return;
    this.counted(was.executionId).expect(span, was, now?.executionId === was.executionId ? now : undefined);
  }

  /** Adds to its executions what a span is now, less what it was before. */
  private recount(span: HeldSpan): void {
    const { before, below } = span;
    span.before = undefined;
    if (before === undefined) return;
    const was = before.view;
    const now = span.entry.span === span ? span.view : undefined;
    if (was === now && was !== undefined && !countsAnew(was, before.below, below)) return;
    const from = was && this.counted(was.executionId);
    const to = now && this.counted(now.executionId);
    if (was === now && to !== undefined) to.recounted = true;
    else if (from === to) to?.change(span, was, now);
    else {
      if (was !== undefined) from?.change(span, was, undefined);
      if (now !== undefined) to?.change(span, undefined, now);
    }
    if (was !== undefined) from?.count(was, before.below, -1);
    if (now !== undefined) to?.count(now, below, 1);
  }

  private counted(executionId: string): HeldExecution {
    const execution = this.executionOf(executionId);
    this.executions.add(execution);
    return execution;
  }
}

export function emptyChanges(): LedgerChanges {
  return {
    spans: [],
    removed: [],
    gone: [],
    returned: [],
    executions: [],
    forgotten: [],
    usage: [],
    rollup: [],
    analytics: [],
    traces: [],
    pruned: { rollup: [], analytics: [] },
  };
}

/** What became of one execution, and of the sums of the scope by it. */
function settle(
  execution: HeldExecution,
  changes: LedgerChanges,
  rollup: UsageCells,
  analytics: AnalyticsCells,
): ChangedExecution {
  const { executionId, seq, deleted, spanCount, settled, usage, added } = execution;
  const stats = statsOf(execution);
  const workflowId = stats?.workflowId ?? "";
  const moved = workflowId !== settled.workflowId;
  for (const [key, { bucket, model, sums }] of added) {
    rollup.add({ bucket, workflowId, model, sums });
    if (!usage.has(key)) {
      changes.usage.push({ executionId, bucket, workflowId, model, sums: sums.map(() => 0) });
    }
  }
  for (const [key, { bucket, model, sums }] of moved ? usage : added) {
    const cell = usage.get(key);
    if (cell !== undefined) {
      changes.usage.push({ executionId, bucket, workflowId, model, sums: [...cell.sums] });
    }
    if (!moved) continue;
    // What stood there before is what stands there now, less what was added.
    const before = added.get(key);
    const stood = sums.map((value, index) => value - (before?.sums[index] ?? 0));
    rollup.add({ bucket, workflowId: settled.workflowId, model, sums: stood }, -1);
    rollup.add({ bucket, workflowId, model, sums: stood });
  }
  if (moved) moveVanished(execution, workflowId, rollup);
  added.clear();
  if (settled.stats !== undefined) analytics.addStats(settled.stats, -1);
  if (stats !== undefined) analytics.addStats(stats);
  const statsBefore = settled.stats;
  execution.settled = { seq, workflowId, stats };
  const lastActivity = execution.lastActivity();
  return {
    executionId,
    seq,
    deleted,
    ...(spanCount > 0 && { summary: summaryOf(execution) }),
    ...(lastActivity !== undefined && { lastActivity }),
    ...(stats && { stats }),
    ...(statsBefore && { statsBefore }),
  };
}

/** Cells that are empty now stood under the workflow of before. */
function moveVanished(execution: HeldExecution, workflowId: string, rollup: UsageCells): void {
  for (const [key, { bucket, model, sums }] of execution.added) {
    if (execution.usage.has(key)) continue;
    rollup.add({ bucket, workflowId, model, sums }, -1);
    rollup.add({ bucket, workflowId: execution.settled.workflowId, model, sums });
  }
}

/** What its descendants bear now makes another part of the span count. */
function countsAnew(facts: SpanFacts, before: number, now: number): boolean {
  if (before === now || (facts.usage === undefined && facts.cost === undefined)) return false;
  const was = contributionOf(facts, before);
  const is = contributionOf(facts, now);
  return was?.usage !== is?.usage || was?.nanoUsd !== is?.nanoUsd || was?.unpriced !== is?.unpriced;
}

/** A class, since an object with a getter of its own takes ten times as long to make. */
class PlacedSpan implements ChangedSpan {
  readonly facts: SpanFacts;
  readonly executionId: string;
  readonly insSeq: number;
  readonly seq: number;
  readonly record: SpanRecord | undefined;
  private readonly brought: AdmittedRecord | undefined;

  constructor({ facts, view, entry }: HeldSpan, brought: AdmittedRecord | undefined) {
    this.facts = facts;
    this.executionId = view.executionId;
    this.insSeq = entry.insSeq;
    this.seq = entry.seq;
    this.record = brought?.record;
    this.brought = brought;
  }

  get json(): string | undefined {
    return this.brought?.json;
  }
}
