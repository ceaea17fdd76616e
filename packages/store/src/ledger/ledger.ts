import { compareNaming, isUnnamed } from "@spanloom/metrics";
import {
  compareRecords,
  phaseOf,
  type RejectedSpan,
  SpanloomError,
  type SpanRecord,
  spanKey,
  type UnixNanos,
  type WriteReceipt,
} from "@spanloom/model";
import type { Admitted, AdmittedRecord } from "./admit.ts";
import type { PlacedRef } from "./backing.ts";
import { AnalyticsCells, UsageCells } from "./cells.ts";
import type { LedgerChanges, Missing, StoredPart } from "./changes.ts";
import { factsOf, type SpanFacts } from "./facts.ts";
import { type HeldSpan, HeldTrace, placeOf } from "./held.ts";
import { HeldExecution } from "./held-execution.ts";
import { holdPart } from "./hold-part.ts";
import { type Freshness, freshnessOf, isPast } from "./past-retention.ts";
import { emptyChanges, Round } from "./round.ts";

export interface LedgerOptions {
  /** Spans to hold at most, but for those of the change at hand: 200,000 where absent. */
  mostSpans?: number;
}

/** A winning record that is stored already, by its span's key; where `ties` asked for it. */
export type StoredRecords = (key: string) => SpanRecord | undefined;

/**
 * The exact engine of one scope: merges records, gives late spans their names, counts usage once, numbers every change in
 * its execution's feed, and keeps summaries, all by differences. It holds the facts of executions that are active; records
 * stay with a backing, which loads what is missing and saves what a change says. Calls must not overlap: whoever waits
 * between `missing` and saving the changes keeps other writes of the scope out.
 */
export class Ledger {
  protected readonly traces: Map<string, HeldTrace> = new Map();
  protected readonly executions: Map<string, HeldExecution> = new Map();
  /** The greatest time that retention has removed by. The backing keeps it and sets it when it opens. */
  watermark: UnixNanos | undefined;
  private readonly mostSpans: number;
  private spanCount = 0;
  /** Counts changes, to tell what was used last. */
  private tick = 1;

  constructor({ mostSpans = 200_000 }: LedgerOptions = {}) {
    this.mostSpans = mostSpans;
  }

  /** What must be loaded before these records can be applied, with all that is connected to it. */
  missing(records: readonly Pick<SpanRecord, "traceId" | "executionId">[]): Missing {
    return this.missingIds({
      traceIds: records.map((record) => record.traceId),
      executionIds: records.map((record) => record.executionId),
    });
  }

  /** Those of the traces and executions that are not held. */
  missingIds({ traceIds, executionIds }: Missing): Missing {
    return {
      traceIds: [...new Set(traceIds.filter((id) => !this.traces.has(id)))],
      executionIds: [...new Set([...executionIds, ...traceIds].filter((id) => !this.executions.has(id)))],
    };
  }

  /** Takes whole components as the backing has them; ids that it does not know are remembered as not there. See `loadComponents`. */
  load(covered: Missing, part: StoredPart): void {
    this.forget(covered);
    holdPart({ traces: this.traces, executions: this.executions }, covered, part);
    for (const id of covered.executionIds) this.executionOf(id);
    this.spanCount += part.spans.length;
  }

  /** Spans whose stored record must be at hand, because one of these may be as good; each with what it says of its execution. */
  ties(records: readonly SpanRecord[]): PlacedRef[] {
    return records.flatMap((record) => {
      const { traceId, spanId } = record;
      const span = this.traces.get(traceId)?.spans.get(spanId);
      if (span === undefined || rankAgainst(record, span) !== 0) return [];
      return [{ traceId, spanId, executionId: span.facts.executionId }];
    });
  }

  /** Stores the records. When their changes cannot be saved, `forgetChanges`. */
  apply(
    { records, rejected }: Admitted,
    stored: StoredRecords = () => undefined,
  ): { receipt: WriteReceipt; changes: LedgerChanges } {
    const missing = this.missing(records.map(({ record }) => record));
    if (missing.traceIds.length > 0 || missing.executionIds.length > 0) throw notLoaded(missing);
    const round = this.startRound();
    try {
      const receipt = this.applyTo(round, records, stored);
      receipt.rejected = [...rejected, ...receipt.rejected].sort((a, b) => a.index - b.index);
      return { receipt, changes: this.finish(round) };
    } catch (error) {
      this.forget(round.ids());
      throw error;
    }
  }

  /** Removes an execution for good; `undefined` where it has no spans. Its component must be held. */
  delete(executionId: string): LedgerChanges | undefined {
    const execution = this.executions.get(executionId);
    if (execution === undefined || execution.spanCount === 0) return undefined;
    execution.deleted = true;
    const round = this.startRound();
    const traces = new Set<HeldTrace>();
    for (const span of [...execution.spans()]) {
      const trace = this.traceOf(span.facts.traceId);
      if (trace.owner === executionId) round.refuseUnnamed(trace);
      if (isUnnamed(span.facts)) trace.unnamed--;
      round.remove(trace, span);
      traces.add(trace);
    }
    for (const trace of traces) {
      trace.findNaming();
      this.name(round, trace);
      if (trace.spans.size === 0) trace.support.clear();
    }
    this.spanCount -= execution.spanCount;
    return this.finish(round);
  }

  /**
   * Removes whole components, without a trace of them but in the sums over time. `watermark` must be set first.
   *
   * @param ids As `component` gives them; they must be held.
   */
  prune({ traceIds, executionIds }: Missing): LedgerChanges {
    const changes = emptyChanges();
    const rollup = new UsageCells();
    const analytics = new AnalyticsCells();
    for (const id of executionIds) {
      const execution = this.executions.get(id);
      // What was deleted stays known, so that it cannot come back.
      if (execution === undefined || execution.deleted) continue;
      for (const span of execution.spans()) {
        changes.removed.push({ traceId: span.facts.traceId, spanId: span.facts.spanId });
      }
      const { workflowId, stats } = execution.settled;
      for (const cell of execution.usage.values()) rollup.add({ ...cell, workflowId });
      if (stats !== undefined) analytics.addStats(stats);
      if (execution.seq > 0) changes.forgotten.push(id);
      this.spanCount -= execution.spanCount;
      this.executions.delete(id);
    }
    for (const id of traceIds) {
      const refuses = this.traces.get(id)?.refusesUnnamed === true;
      this.traces.delete(id);
      if (refuses) this.traceOf(id).refusesUnnamed = true;
    }
    changes.pruned = { rollup: [...rollup.values()], analytics: [...analytics.values()] };
    return changes;
  }

  /** The execution where it is held, whether it has spans or only a feed; `undefined` where it is not held or never was. */
  execution(executionId: string): HeldExecution | undefined {
    const execution = this.executions.get(executionId);
    if (execution === undefined || execution.seq === 0) return undefined;
    execution.usedAt = this.tick;
    return execution;
  }

  /** All that are held and have spans. */
  *heldExecutions(): Generator<HeldExecution, void, undefined> {
    for (const execution of this.executions.values()) if (execution.spanCount > 0) yield execution;
  }

  /** Every trace and execution that is connected with these, as far as they are held. */
  component({ traceIds, executionIds }: Missing): Missing {
    const traces = new Set<string>();
    const executions = new Set<string>();
    const open: (() => void)[] = [];
    const addTrace = (id: string): void => {
      const trace = this.traces.get(id);
      if (trace === undefined || traces.has(id)) return;
      traces.add(id);
      open.push(() => {
        for (const executionId of trace.executions.keys()) addExecution(executionId);
        addExecution(id);
      });
    };
    const addExecution = (id: string): void => {
      const execution = this.executions.get(id);
      if (execution === undefined || executions.has(id)) return;
      executions.add(id);
      open.push(() => {
        for (const traceId of execution.traces.keys()) addTrace(traceId);
        addTrace(id);
      });
    };
    traceIds.forEach(addTrace);
    executionIds.forEach(addExecution);
    for (let next = open.pop(); next !== undefined; next = open.pop()) next();
    return { traceIds: [...traces], executionIds: [...executions] };
  }

  /** After changes that could not be saved: lets go of all that they touched, for the backing is the truth. */
  forgetChanges(changes: LedgerChanges): void {
    const spans = [...changes.spans.map(({ facts }) => facts), ...changes.removed];
    this.forget({
      traceIds: [...spans, ...changes.traces].map(({ traceId }) => traceId),
      // Also those that are connected with nothing any more.
      executionIds: [...changes.executions.map(({ executionId }) => executionId), ...changes.forgotten],
    });
  }

  /** Lets go of these and all that is connected with them. */
  forget(ids: Missing): void {
    const { traceIds, executionIds } = this.component(ids);
    for (const id of executionIds) this.executions.delete(id);
    for (const id of traceIds) {
      this.spanCount -= this.traces.get(id)?.spans.size ?? 0;
      this.traces.delete(id);
    }
  }

  /** Lets go of what was not used for the longest time, when the bound is reached. Between changes only. */
  trim(): void {
    const size = (): number => this.spanCount + this.executions.size;
    if (size() <= this.mostSpans) return;
    const byUse = [...this.executions.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const { executionId, usedAt } of byUse) {
      // Some room, so that not every change has to look for more.
      if (usedAt === this.tick || size() <= this.mostSpans * 0.8) return;
      const component = this.component({ traceIds: [], executionIds: [executionId] });
      // It goes when its member that was used last has its turn.
      const used = component.executionIds.some((id) => (this.executions.get(id)?.usedAt ?? 0) > usedAt);
      if (!used) this.forget(component);
    }
  }

  /** Which of two records of a span is kept: positive where the given one is. */
  protected compare(record: SpanRecord, span: HeldSpan, heldRecord: () => SpanRecord): number {
    return rankAgainst(record, span) || compareRecords(record, heldRecord());
  }

  /** Keeps the trace's naming span the least one, and puts unnamed spans where it says. */
  protected name(round: Round, trace: HeldTrace): void {
    const owner = trace.naming?.facts.executionId ?? trace.traceId;
    if (owner === trace.owner) return;
    trace.owner = owner;
    if (trace.unnamed === 0) return;
    for (const span of trace.spans.values()) {
      if (
        isUnnamed(span.facts) &&
        !round.brought.has(span) &&
        span.view.executionId !== placeOf(trace, span)
      ) {
        round.place(trace, span);
      }
    }
  }

  protected startRound(): Round {
    return new Round((executionId) => this.executionOf(executionId));
  }

  private applyTo(round: Round, records: readonly AdmittedRecord[], stored: StoredRecords): WriteReceipt {
    const receipt: WriteReceipt = { written: 0, unchanged: 0, rejected: [] };
    const fresh = this.watermark === undefined ? undefined : freshnessOf(records, this.watermark);
    const traces = new Set<HeldTrace>();
    for (const admitted of records) {
      const { record, index } = admitted;
      const refusal = this.refusal(record, fresh);
      if (refusal !== undefined) {
        receipt.rejected.push({ index, ...refusal });
        continue;
      }
      const trace = this.traceOf(record.traceId);
      if (this.take(round, trace, admitted, stored)) {
        receipt.written++;
        traces.add(trace);
      } else receipt.unchanged++;
    }
    for (const trace of traces) this.name(round, trace);
    for (const span of round.brought.keys()) round.place(this.traceOf(span.facts.traceId), span);
    return receipt;
  }

  /** True when the record takes the place of what was there. */
  private take(round: Round, trace: HeldTrace, admitted: AdmittedRecord, stored: StoredRecords): boolean {
    const { record } = admitted;
    const held = trace.spans.get(record.spanId);
    if (held !== undefined) {
      const heldRecord = (): SpanRecord => {
        const found = round.brought.get(held)?.record ?? stored(spanKey(record));
        if (found === undefined) throw notAtHand(record);
        return found;
      };
      if (this.compare(record, held, heldRecord) <= 0) return false;
      round.touch(held);
    }
    const facts = factsOf(record);
    const span = held ?? newSpan(facts);
    const previous = held?.facts;
    if (held === undefined) {
      round.touch(span);
      trace.spans.set(record.spanId, span);
      this.spanCount++;
    }
    span.facts = facts;
    trace.unnamed += Number(isUnnamed(facts)) - Number(previous !== undefined && isUnnamed(previous));
    round.brought.set(span, admitted);
    round.bits.change(trace, span, previous);
    if (trace.naming === span && previous !== undefined) {
      if (isUnnamed(facts) || compareNaming(facts, previous) > 0) trace.findNaming();
    } else if (!isUnnamed(facts) && (!trace.naming || compareNaming(facts, trace.naming.facts) < 0)) {
      trace.naming = span;
    }
    return true;
  }

  private refusal(record: SpanRecord, fresh: Freshness | undefined): Omit<RejectedSpan, "index"> | undefined {
    const trace = this.traces.get(record.traceId);
    const unnamed = isUnnamed(record);
    if (this.executions.get(record.executionId)?.deleted || (unnamed && trace?.refusesUnnamed)) {
      return {
        code: "deleted_execution",
        message: "executionId: this execution was deleted; late spans are refused",
      };
    }
    if (fresh === undefined || this.watermark === undefined || !isPast(record, this.watermark))
      return undefined;
    const owner = unnamed ? (trace?.owner ?? record.traceId) : record.executionId;
    const joins =
      (this.executions.get(owner)?.spanCount ?? 0) > 0 ||
      fresh.joins(record) ||
      (!unnamed && trace !== undefined && trace.unnamed > 0 && trace.naming === undefined);
    if (joins) return undefined;
    return {
      code: "past_retention",
      message: "startTime: retention has removed what is that old; nothing of its execution is left",
    };
  }

  private finish(round: Round): LedgerChanges {
    const changes = round.finish();
    this.trim();
    this.tick++;
    return changes;
  }

  private traceOf(traceId: string): HeldTrace {
    let trace = this.traces.get(traceId);
    if (trace === undefined) {
      trace = new HeldTrace(traceId);
      this.traces.set(traceId, trace);
    }
    return trace;
  }

  private executionOf(executionId: string): HeldExecution {
    let execution = this.executions.get(executionId);
    if (execution === undefined) {
      execution = new HeldExecution(executionId);
      this.executions.set(executionId, execution);
    }
    execution.usedAt = this.tick;
    return execution;
  }
}

/** The given record against what is held, by all that facts say; 0 where the records themselves must be compared. */
function rankAgainst(record: SpanRecord, { facts }: HeldSpan): number {
  return phaseOf(record) - phaseOf(facts) || record.revision - facts.revision;
}

function newSpan(facts: SpanFacts): HeldSpan {
  const { traceId, spanId } = facts;
  return {
    facts,
    view: facts,
    entry: { traceId, spanId, span: undefined, insSeq: 0, seq: 0 },
    bears: 0,
    below: 0,
    before: undefined,
  };
}

function notLoaded({ traceIds, executionIds }: Missing): SpanloomError {
  return new SpanloomError("store_failed", {
    what: `Records were applied before ${traceIds.length} traces and ${executionIds.length} executions were loaded.`,
    why: "What they hold decides what the records mean.",
    fix: "In the adapter, call loadComponents before apply, and let no other write come in between.",
  });
}

function notAtHand({ traceId, spanId }: SpanRecord): SpanloomError {
  return new SpanloomError("store_failed", {
    what: `The stored record of span ${traceId}/${spanId} is needed and was not given.`,
    why: "It has the same rank as a new one: only their content can decide.",
    fix: "In the adapter, give apply the records that ties names.",
  });
}
