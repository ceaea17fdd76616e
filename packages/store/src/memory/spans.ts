import { compareNaming, isUnnamed, namingSpan } from "@spanloom/metrics";
import {
  type Bears,
  bearsBelow,
  bearsOf,
  compareRecords,
  parentOf,
  type RejectedSpan,
  recordProblem,
  type SpanRecord,
  spanKey,
  type WriteReceipt,
} from "@spanloom/model";

/** One span: its winning record as written, and where it stands in its execution. */
export interface HeldSpan {
  readonly key: string;
  record: SpanRecord;
  /** The winning record as it is read: with its effective execution id. */
  view: SpanRecord;
  entry: FeedEntry;
}

/** A span's place in the feed of one execution; without `span` it is the tombstone of one that went away. */
export interface FeedEntry {
  readonly traceId: string;
  readonly spanId: string;
  span: HeldSpan | undefined;
  /** When it came to this execution: pages of an earlier commit leave it out. */
  insSeq: number;
  /** When it last changed. */
  seq: number;
}

export interface HeldTrace {
  /** By span id. */
  readonly spans: Map<string, HeldSpan>;
  /** How many of its spans each execution has. */
  readonly executions: Map<string, number>;
  /** The span that names the execution of unnamed ones. */
  naming: HeldSpan | undefined;
  /** What descendants bear; absent when something changed since. */
  below: Map<string, Bears> | undefined;
}

export interface HeldExecution {
  readonly executionId: string;
  /** By span key, in the order of `seq`: an entry that changes moves to the end. */
  readonly feed: Map<string, FeedEntry>;
  spanCount: number;
  seq: number;
}

/**
 * The spans of one scope, by trace and by execution: merging, late names, change feeds and tombstones. Every change
 * takes one number of its execution's `seq`, so that a feed can be cut at any of them.
 */
export class MemorySpans {
  readonly traces: Map<string, HeldTrace> = new Map();
  readonly executions: Map<string, HeldExecution> = new Map();
  protected readonly deletedExecutions: Set<string> = new Set();
  /** Traces whose unnamed spans belonged to a deleted execution. */
  protected readonly deletedTraces: Set<string> = new Set();

  /** Stores the records; `changed` gets the ids of the executions that are not as they were. */
  write(records: readonly unknown[], changed: Set<string>): WriteReceipt {
    const receipt: WriteReceipt = { written: 0, unchanged: 0, rejected: [] };
    const disturbed = new Set<HeldTrace>();
    records.forEach((given, index) => {
      const record = this.admit(given);
      if ("code" in record) receipt.rejected.push({ index, ...record });
      else if (this.put(record, changed, disturbed)) receipt.written++;
      else receipt.unchanged++;
    });
    this.renumber(disturbed, changed);
    return receipt;
  }

  /** Removes an execution's spans for good. False when it has none. */
  delete(executionId: string, changed: Set<string>): boolean {
    const execution = this.executions.get(executionId);
    if (execution === undefined || execution.spanCount === 0) return false;
    this.deletedExecutions.add(executionId);
    const disturbed = new Set<HeldTrace>();
    for (const entry of [...execution.feed.values()]) {
      const trace = this.traces.get(entry.traceId);
      if (entry.span === undefined || trace === undefined) continue;
      const owner = trace.naming?.record.executionId ?? entry.traceId;
      if (owner === executionId) this.deletedTraces.add(entry.traceId);
      this.leave(entry.span, trace, changed);
      trace.spans.delete(entry.spanId);
      disturbed.add(trace);
    }
    for (const trace of disturbed) {
      trace.naming = namingOf(trace);
    }
    this.renumber(disturbed, changed);
    return true;
  }

  /** Which of two records of a span is kept. */
  protected wins(given: SpanRecord, held: SpanRecord): boolean {
    return compareRecords(given, held) > 0;
  }

  /** A copy of what is given, made of JSON alone; or why it can never be stored. */
  private admit(given: unknown): SpanRecord | Omit<RejectedSpan, "index"> {
    let record: SpanRecord;
    try {
      const problem = recordProblem(given);
      if (problem !== undefined) return { code: "invalid_record", message: problem };
      record = JSON.parse(JSON.stringify(given));
      // What was checked and what was copied may differ, by a getter, a proxy or a toJSON of the caller's.
      const copied = recordProblem(record);
      if (copied !== undefined) return { code: "invalid_record", message: copied };
    } catch {
      return { code: "invalid_record", message: "record: cannot be read as JSON" };
    }
    const refused =
      this.deletedExecutions.has(record.executionId) ||
      (isUnnamed(record) && this.deletedTraces.has(record.traceId));
    if (!refused) return record;
    return {
      code: "deleted_execution",
      message: "executionId: this execution was deleted; late spans are refused",
    };
  }

  private put(record: SpanRecord, changed: Set<string>, disturbed: Set<HeldTrace>): boolean {
    const trace = this.traces.get(record.traceId) ?? emptyTrace();
    const held = trace.spans.get(record.spanId);
    if (held !== undefined && !this.wins(record, held.record)) return false;
    this.traces.set(record.traceId, trace);
    if (held === undefined || moves(held.record, record)) disturbed.add(trace);
    const span = held ?? this.begin(record);
    const previous = span.record;
    span.record = record;
    trace.spans.set(record.spanId, span);
    if (this.rename(trace, span, previous)) {
      for (const other of trace.spans.values()) {
        if (other === span || !isUnnamed(other.record)) continue;
        this.place(other, trace, changed);
        disturbed.add(trace);
      }
    }
    if (this.place(span, trace, changed)) disturbed.add(trace);
    return true;
  }

  private begin(record: SpanRecord): HeldSpan {
    const { traceId, spanId } = record;
    const entry: FeedEntry = { traceId, spanId, span: undefined, insSeq: 0, seq: 0 };
    return { key: spanKey(record), record, view: record, entry };
  }

  /** Keeps the trace's naming span the least one. True when unnamed spans now belong elsewhere. */
  protected rename(trace: HeldTrace, span: HeldSpan, previous: SpanRecord): boolean {
    const { naming } = trace;
    const before = naming === span ? previous.executionId : naming?.record.executionId;
    if (naming === span && (isUnnamed(span.record) || compareNaming(span.record, previous) > 0)) {
      trace.naming = namingOf(trace);
    } else if (!isUnnamed(span.record) && (!naming || compareNaming(span.record, naming.record) < 0)) {
      trace.naming = span;
    }
    return trace.naming?.record.executionId !== before;
  }

  /** Puts a span whose record or name changed where it belongs, as that execution's latest change. True when it moved. */
  private place(span: HeldSpan, trace: HeldTrace, changed: Set<string>): boolean {
    const { record } = span;
    const executionId = isUnnamed(record)
      ? (trace.naming?.record.executionId ?? record.traceId)
      : record.executionId;
    const stays = span.entry.span === span && span.view.executionId === executionId;
    if (span.entry.span === span && !stays) this.leave(span, trace, changed);
    span.view = record.executionId === executionId ? record : { ...record, executionId };
    const execution = this.execution(executionId);
    execution.seq++;
    if (!stays) {
      span.entry = { ...span.entry, span, insSeq: execution.seq };
      execution.spanCount++;
      trace.executions.set(executionId, (trace.executions.get(executionId) ?? 0) + 1);
    }
    span.entry.seq = execution.seq;
    execution.feed.delete(span.key);
    execution.feed.set(span.key, span.entry);
    changed.add(executionId);
    return !stays;
  }

  /** Takes a span out of its execution and leaves a tombstone in that feed. */
  private leave(span: HeldSpan, trace: HeldTrace, changed: Set<string>): void {
    const { executionId } = span.view;
    const execution = this.execution(executionId);
    execution.spanCount--;
    execution.seq++;
    span.entry.span = undefined;
    span.entry.seq = execution.seq;
    execution.feed.delete(span.key);
    execution.feed.set(span.key, span.entry);
    const left = (trace.executions.get(executionId) ?? 1) - 1;
    if (left === 0) trace.executions.delete(executionId);
    else trace.executions.set(executionId, left);
    changed.add(executionId);
  }

  /**
   * Descent runs inside a trace, also across executions: what one execution wrote may change what counts in another of
   * the same trace. Those get a new `seq`, too, so that their sums are asked for again.
   */
  protected renumber(disturbed: ReadonlySet<HeldTrace>, changed: Set<string>): void {
    for (const trace of disturbed) {
      trace.below = undefined;
      for (const executionId of trace.executions.keys()) {
        if (changed.has(executionId)) continue;
        this.execution(executionId).seq++;
        changed.add(executionId);
      }
    }
  }

  private execution(executionId: string): HeldExecution {
    let execution = this.executions.get(executionId);
    if (execution === undefined) {
      execution = { executionId, feed: new Map(), spanCount: 0, seq: 0 };
      this.executions.set(executionId, execution);
    }
    return execution;
  }
}

/** What the descendants of a trace's spans bear. */
export function belowOf(trace: HeldTrace): Map<string, Bears> {
  trace.below ??= bearsBelow(Array.from(trace.spans.values(), (span) => span.record));
  return trace.below;
}

function emptyTrace(): HeldTrace {
  return { spans: new Map(), executions: new Map(), naming: undefined, below: undefined };
}

/** True when the change can alter what counts above the span. */
function moves(before: SpanRecord, after: SpanRecord): boolean {
  return bearsOf(before) !== bearsOf(after) || parentOf(before) !== parentOf(after);
}

function namingOf(trace: HeldTrace): HeldSpan | undefined {
  const least = namingSpan(Array.from(trace.spans.values(), (span) => span.record));
  return least === undefined ? undefined : trace.spans.get(least.spanId);
}
