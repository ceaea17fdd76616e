import {
  type ExecutionFrame,
  type ExecutionStats,
  executionFrame,
  latencySlot,
  modelKey,
  quarterOf,
  rootRank,
  segmentRoots,
} from "@spanloom/metrics";
import { compareNanos, millisBetween, type UnixNanos } from "@spanloom/model";
import { addSums, emptySums, isZero, type Sums, sumsOf } from "../sql/sums.ts";
import type { UsageCell } from "./changes.ts";
import type { SpanFacts } from "./facts.ts";
import { Feed, type FeedEntry } from "./feed.ts";
import type { HeldSpan } from "./held.ts";
import { NodeState } from "./node-state.ts";
import { NodeTypes } from "./node-types.ts";

/** A cell of an execution: its workflow is the execution's. */
export type OwnCell = Omit<UsageCell, "workflowId">;

/** One execution: its feed, and everything its spans add up to, kept by differences. */
export class HeldExecution {
  readonly executionId: string;
  readonly feed: Feed = new Feed();
  /** Tombstones by span key. */
  readonly gone: Map<string, FeedEntry> = new Map();
  /** How many of its spans each trace has. */
  readonly traces: Map<string, number> = new Map();
  readonly nodes: Map<string, NodeState> = new Map();
  readonly nodeTypes: NodeTypes = new NodeTypes();
  /** How often each slot was hit by the calls of each model. */
  readonly models: Map<string, Map<number, number>> = new Map();
  /** By quarter-hour and model. */
  readonly usage: Map<string, OwnCell> = new Map();
  /** What the change under way adds to them. */
  readonly added: Map<string, OwnCell> = new Map();
  readonly total: Sums = emptySums();
  /** Spans with cache accesses. */
  readonly caching: Set<HeldSpan> = new Set();
  /** When the ledger needed it last. */
  usedAt = 0;
  /** What descendants' changes alone make of its sums has changed. */
  recounted = false;
  seq = 0;
  deleted = false;
  spanCount = 0;
  openSpanCount = 0;
  errorCount = 0;
  /** What was saved last. */
  settled: { seq: number; workflowId: string; stats: ExecutionStats | undefined } = {
    seq: 0,
    workflowId: "",
    stats: undefined,
  };
  private readonly changedNodes = new Set<NodeState>();
  private readonly rootSpans = new Set<HeldSpan>();
  private firstStart: UnixNanos | undefined;
  private lastStart: UnixNanos | undefined;
  private lastEnd: UnixNanos | undefined;
  private extremesLost = false;
  private knownRoots: SpanFacts[] | undefined;

  constructor(executionId: string) {
    this.executionId = executionId;
  }

  /** Its spans, by when they last changed. */
  *spans(): Generator<HeldSpan, void, undefined> {
    for (const { span } of this.feed.since(-1)) if (span !== undefined) yield span;
  }

  /** One of its spans will go (no `now`) or change. Of all that change together, before {@link change} of the first. */
  expect(span: HeldSpan, before: SpanFacts, now: SpanFacts | undefined): void {
    const { nodeId } = before;
    if (nodeId !== undefined)
      this.node(nodeId).expect(span, before, now?.nodeId === nodeId ? now : undefined);
  }

  /** One of its spans came (no `before`), went (no `now`) or changed: everything but what it counts for. */
  change(span: HeldSpan, before: SpanFacts | undefined, now: SpanFacts | undefined): void {
    if (before !== undefined) this.tally(span, before, -1);
    if (now !== undefined) this.tally(span, now, 1);
    this.changeExtremes(before, now);
    if (before?.nodeId === now?.nodeId) {
      if (now?.nodeId !== undefined) this.node(now.nodeId).change(span, before, now);
      return;
    }
    if (before?.nodeId !== undefined) this.node(before.nodeId).change(span, before, undefined);
    if (now?.nodeId !== undefined) this.node(now.nodeId).change(span, undefined, now);
  }

  /** Adds or takes what a span counts for. */
  count(facts: SpanFacts, below: number, sign: 1 | -1): void {
    if (facts.usage === undefined && facts.cost === undefined) return;
    const sums = sumsOf(facts, below);
    if (sums === undefined) return;
    const bucket = quarterOf(facts.startTime);
    const model = modelKey(facts);
    const key = cellKey(bucket, model);
    for (const cells of [this.usage, this.added]) {
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { bucket, model, sums: emptySums() };
        cells.set(key, cell);
      }
      addSums(cell.sums, sums, sign);
    }
    addSums(this.total, sums, sign);
    if (facts.nodeId !== undefined) this.node(facts.nodeId).addSums(sums, sign);
  }

  /** Mends what could not be kept by differences, and lets go of what is empty. Before any answer. */
  mend(): void {
    if (this.extremesLost) this.findExtremes();
    const lost = new Set<string>();
    for (const node of this.changedNodes) {
      this.nodeTypes.change(node);
      if (node.spanCount === 0) this.nodes.delete(node.nodeId);
      else if (node.lost) {
        node.search();
        lost.add(node.nodeId);
      }
    }
    this.changedNodes.clear();
    if (lost.size > 0) {
      for (const span of this.spans()) {
        const { nodeId } = span.view;
        if (nodeId !== undefined && lost.has(nodeId)) this.nodes.get(nodeId)?.look(span);
      }
    }
    for (const [key, { sums }] of this.added) {
      if (isZero(sums)) this.added.delete(key);
      const cell = this.usage.get(key);
      if (cell !== undefined && isZero(cell.sums)) this.usage.delete(key);
    }
  }

  /** The roots of its segments, in order. */
  roots(): readonly SpanFacts[] {
    this.knownRoots ??= segmentRoots(Array.from(this.rootSpans, (span) => span.view));
    return this.knownRoots;
  }

  frame(): ExecutionFrame {
    const { openSpanCount, errorCount, firstStart, lastEnd } = this;
    return executionFrame(this.roots(), { openSpanCount, errorCount, firstStart, lastEnd });
  }

  /** The latest start or end of its spans. */
  lastActivity(): UnixNanos | undefined {
    const { lastStart, lastEnd } = this;
    if (lastStart === undefined || lastEnd === undefined) return lastStart ?? lastEnd;
    return compareNanos(lastStart, lastEnd) > 0 ? lastStart : lastEnd;
  }

  private node(nodeId: string): NodeState {
    let node = this.nodes.get(nodeId);
    if (node === undefined) {
      node = new NodeState(nodeId);
      this.nodes.set(nodeId, node);
    }
    this.changedNodes.add(node);
    return node;
  }

  private tally(span: HeldSpan, facts: SpanFacts, sign: 1 | -1): void {
    this.spanCount += sign;
    if (facts.endTime === undefined) this.openSpanCount += sign;
    if (facts.status.code === "error") this.errorCount += sign;
    add(this.traces, facts.traceId, sign);
    if (facts.executionStatus !== undefined || rootRank(facts) !== undefined) {
      this.knownRoots = undefined;
      if (sign === 1) this.rootSpans.add(span);
      else this.rootSpans.delete(span);
    }
    if (facts.cache !== undefined) {
      if (sign === 1) this.caching.add(span);
      else this.caching.delete(span);
    }
    this.tallyModel(facts, sign);
  }

  /** The calls of a model that really ended, as `executionStats` measures them. */
  private tallyModel(facts: SpanFacts, sign: 1 | -1): void {
    const { kind, startTime, endTime, syntheticEnd } = facts;
    if (kind !== "llm" && kind !== "embedding") return;
    if (endTime === undefined || syntheticEnd !== undefined) return;
    const key = modelKey(facts);
    const slots = this.models.get(key) ?? new Map<number, number>();
    add(slots, latencySlot(millisBetween(startTime, endTime)), sign);
    if (slots.size === 0) this.models.delete(key);
    else this.models.set(key, slots);
  }

  private changeExtremes(before: SpanFacts | undefined, now: SpanFacts | undefined): void {
    if (before !== undefined && !this.extremesLost) {
      const { startTime, endTime } = before;
      this.extremesLost =
        (startTime === this.firstStart && (!now || compareNanos(now.startTime, startTime) > 0)) ||
        (startTime === this.lastStart && (!now || compareNanos(now.startTime, startTime) < 0)) ||
        (endTime !== undefined &&
          endTime === this.lastEnd &&
          (now?.endTime === undefined || compareNanos(now.endTime, endTime) < 0));
    }
    if (now !== undefined && !this.extremesLost) this.extend(now);
  }

  private findExtremes(): void {
    this.extremesLost = false;
    this.firstStart = undefined;
    this.lastStart = undefined;
    this.lastEnd = undefined;
    for (const { view } of this.spans()) this.extend(view);
  }

  private extend({ startTime, endTime }: SpanFacts): void {
    if (this.firstStart === undefined || compareNanos(startTime, this.firstStart) < 0)
      this.firstStart = startTime;
    if (this.lastStart === undefined || compareNanos(startTime, this.lastStart) > 0)
      this.lastStart = startTime;
    if (endTime !== undefined && (this.lastEnd === undefined || compareNanos(endTime, this.lastEnd) > 0)) {
      this.lastEnd = endTime;
    }
  }
}

function cellKey(bucket: number, model: string): string {
  return `${bucket}|${model}`;
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
