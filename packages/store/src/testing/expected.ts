import {
  type CostItem,
  computeAnalytics,
  computeDailyCosts,
  computeRunMetrics,
  costItems,
  createSpanSearch,
  currentSpans,
  type ExecutionStats,
  executionStats,
  summarizeExecution,
} from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionDetail,
  type RunMetrics,
  type SearchSpansQuery,
  type SpanMatch,
  type SpanRecord,
  spanKey,
  type TraceChanges,
  toSkeleton,
} from "@spanloom/model";
import { buildSpanTree, preOrder } from "@spanloom/model/tree";
import { equal, ok, present } from "./assert.ts";
import type { TestedStore } from "./harness.ts";

/** What a store must answer after the records it was given: the reference, computed from scratch each time. */
export class Expected {
  private readonly records: SpanRecord[] = [];
  private current: SpanRecord[] | undefined = [];
  /** What executions that retention removed had added to sums. */
  private readonly keptItems: CostItem[] = [];
  private readonly keptStats: ExecutionStats[] = [];

  add(records: readonly SpanRecord[]): void {
    this.records.push(...records);
    this.current = undefined;
  }

  /** All spans, each as it must be read back. */
  spans(): SpanRecord[] {
    this.current ??= currentSpans(this.records);
    return this.current;
  }

  /** The spans of one execution in the order of its pages. */
  trace(executionId: string): SpanRecord[] {
    return inPageOrder(this.spans().filter((span) => span.executionId === executionId));
  }

  detail(executionId: string): Omit<ExecutionDetail, "seq"> | undefined {
    if (!this.spans().some((span) => span.executionId === executionId)) return undefined;
    return withoutSeq(summarizeExecution(executionId, this.spans(), 0));
  }

  runMetrics(executionId: string): Omit<RunMetrics, "seq"> {
    return withoutSeq(computeRunMetrics(executionId, this.spans(), 0));
  }

  dailyCosts(query: DailyCostsQuery): DailyCosts {
    return computeDailyCosts(query, [...this.keptItems, ...costItems(this.spans())], Date.now());
  }

  analytics(query: AnalyticsQuery): Analytics {
    const items = [...this.keptItems, ...costItems(this.spans())];
    const stats = [...this.keptStats, ...this.executionIds().map((id) => this.statsOf(id))];
    return computeAnalytics(query, stats, items, Date.now());
  }

  /** Every match in the order of pages. */
  search(executionId: string, query: SearchSpansQuery): SpanMatch[] {
    const search = createSpanSearch(query);
    return this.trace(executionId).flatMap((span) => {
      const hits = search(span);
      return hits.length === 0 ? [] : [{ traceId: span.traceId, spanId: span.spanId, hits }];
    });
  }

  executionIds(): string[] {
    return [...new Set(this.spans().map((span) => span.executionId))];
  }

  /** Retention removes these executions, which share no trace with others: sums over time keep what they added. */
  prune(executionIds: readonly string[]): void {
    const gone = this.spans().filter((span) => executionIds.includes(span.executionId));
    const traces = new Set(gone.map((span) => span.traceId));
    this.keptItems.push(...costItems(gone));
    this.keptStats.push(...executionIds.map((id) => this.statsOf(id)));
    const left = this.records.filter((record) => !traces.has(record.traceId));
    this.records.splice(0, this.records.length, ...left);
    this.current = undefined;
  }

  private statsOf(executionId: string): ExecutionStats {
    const own = this.spans().filter((span) => span.executionId === executionId);
    return executionStats(summarizeExecution(executionId, this.spans(), 0), own);
  }
}

/** Pre-order, siblings by start and span id: the order that pages have. */
export function inPageOrder(spans: readonly SpanRecord[]): SpanRecord[] {
  return preOrder(buildSpanTree(spans).roots).map((node) => node.span);
}

export function withoutSeq<T extends { seq: number }>(value: T): Omit<T, "seq"> {
  const { seq, ...rest } = value;
  return rest;
}

/** Everything that can be read of one execution is what the reference says. Gives the detail. */
export async function checkExecution(
  store: TestedStore,
  expected: Expected,
  executionId: string,
  limit = 10_000,
): Promise<ExecutionDetail | undefined> {
  const detail = await store.getExecution(executionId);
  const wanted = expected.detail(executionId);
  equal(detail && withoutSeq(detail), wanted, `getExecution ${executionId}`);
  const spans = await readAll(store, executionId, limit);
  equal(spans, wanted && expected.trace(executionId), `the pages of ${executionId}`);
  if (detail === undefined) return undefined;
  const metrics = present(await store.getRunMetrics(executionId), `getRunMetrics ${executionId}`);
  equal(withoutSeq(metrics), expected.runMetrics(executionId), `getRunMetrics ${executionId}`);
  return detail;
}

/** All full pages of an execution, joined. */
export async function readAll(
  store: TestedStore,
  executionId: string,
  limit = 10_000,
): Promise<SpanRecord[] | undefined> {
  const spans: SpanRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.getTrace(executionId, { view: "full", limit, ...(cursor && { cursor }) });
    if (page === undefined) return undefined;
    ok(page.spans.length <= limit, `a page of ${executionId} has ${page.spans.length} spans, limit ${limit}`);
    ok(page.spans.length > 0 || page.spanCount === 0, `an empty page of ${executionId}`);
    spans.push(...page.spans);
    ok(
      spans.length <= page.spanCount,
      `the pages of ${executionId} give more than its ${page.spanCount} spans`,
    );
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return spans;
}

/** Somebody who looks at an execution and knows of it only what `changesSince` told. */
export class Follower {
  seq = 0;
  readonly executionId: string;
  private readonly spans = new Map<string, unknown>();

  constructor(executionId: string) {
    this.executionId = executionId;
  }

  /** Asks until there is no more. Gives the answers. */
  async catchUp(store: TestedStore, limit = 500): Promise<TraceChanges[]> {
    const answers: TraceChanges[] = [];
    for (;;) {
      const changes = await store.changesSince(this.executionId, this.seq, { limit });
      if (changes === undefined) return answers;
      answers.push(changes);
      const { spans, removed, seq, more } = changes;
      ok(spans.length <= limit, `changesSince gave ${spans.length} spans, limit ${limit}`);
      ok(seq > this.seq || !more, `changesSince ${this.seq} says there is more and does not move on`);
      ok(seq >= this.seq, `changesSince went back from ${this.seq} to ${seq}`);
      for (const span of spans) this.spans.set(spanKey(span), span);
      for (const span of removed) this.spans.delete(spanKey(span));
      this.seq = seq;
      if (!more) return answers;
    }
  }

  /** What it knows is what is stored, as skeletons. */
  check(expected: Expected): void {
    const known = [...this.spans].sort(([a], [b]) => (a < b ? -1 : 1));
    const wanted = expected
      .trace(this.executionId)
      .map((span): [string, unknown] => [spanKey(span), toSkeleton(span)])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    equal(known, wanted, `what a follower of ${this.executionId} knows at ${this.seq}`);
  }
}
