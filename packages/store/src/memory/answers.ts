import {
  type CostItem,
  computeDailyCosts,
  computeRunMetrics,
  costItems,
  summarizeExecution,
} from "@spanloom/metrics";
import {
  type Bears,
  canonicalJson,
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionDetail,
  type ExecutionSummary,
  type RunMetrics,
  type SpanRecord,
} from "@spanloom/model";
import { belowOf, type HeldExecution, type MemorySpans } from "./spans.ts";

/** Answers computed by the reference itself, once for each `seq` that somebody asks about. */
export class MemoryAnswers {
  private readonly spans: MemorySpans;
  private details = new WeakMap<HeldExecution, ExecutionDetail>();
  private metrics = new WeakMap<HeldExecution, RunMetrics>();
  /** What counts in the whole scope; absent when something changed since. */
  private items: CostItem[] | undefined;

  constructor(spans: MemorySpans) {
    this.spans = spans;
  }

  /** Must be called after every change: costs of the scope are asked for anew. */
  changed(): void {
    this.items = undefined;
  }

  detail(execution: HeldExecution): ExecutionDetail {
    return this.current(this.details, execution, summarizeExecution);
  }

  runMetrics(execution: HeldExecution): RunMetrics {
    return this.current(this.metrics, execution, computeRunMetrics);
  }

  dailyCosts(query: DailyCostsQuery): DailyCosts {
    return computeDailyCosts(query, this.costItems(), Date.now());
  }

  /** Computes everything again from the spans, and tells which summaries were not what they should be. */
  recompute(): { executions: number; corrected: string[] } {
    const before = this.details;
    this.details = new WeakMap();
    this.metrics = new WeakMap();
    this.items = undefined;
    for (const trace of this.spans.traces.values()) trace.below = undefined;
    const corrected: string[] = [];
    let executions = 0;
    for (const execution of this.spans.executions.values()) {
      if (execution.spanCount === 0) continue;
      executions++;
      const known = before.get(execution);
      if (known?.seq === execution.seq && canonicalJson(known) !== canonicalJson(this.detail(execution))) {
        corrected.push(execution.executionId);
      }
    }
    return { executions, corrected };
  }

  private current<T extends { seq: number }>(
    cache: WeakMap<HeldExecution, T>,
    execution: HeldExecution,
    compute: (id: string, spans: SpanRecord[], seq: number, below: ReadonlyMap<string, number>) => T,
  ): T {
    const known = cache.get(execution);
    if (known?.seq === execution.seq) return known;
    const own: SpanRecord[] = [];
    for (const { span } of execution.feed.values()) if (span !== undefined) own.push(span.view);
    const answer = compute(execution.executionId, own, execution.seq, this.below(own));
    cache.set(execution, answer);
    return answer;
  }

  /** What descendants bear in the traces of these spans. One trace is the rule, and needs no copy. */
  private below(own: readonly SpanRecord[]): ReadonlyMap<string, Bears> {
    const maps = [...new Set(own.map((span) => span.traceId))].flatMap((traceId) => {
      const trace = this.spans.traces.get(traceId);
      return trace === undefined ? [] : [belowOf(trace)];
    });
    const [only] = maps;
    return maps.length === 1 && only !== undefined ? only : new Map(maps.flatMap((map) => [...map]));
  }

  private costItems(): CostItem[] {
    if (this.items !== undefined) return this.items;
    const views: SpanRecord[] = [];
    const below = new Map<string, Bears>();
    for (const trace of this.spans.traces.values()) {
      for (const span of trace.spans.values()) views.push(span.view);
      for (const [key, bits] of belowOf(trace)) below.set(key, bits);
    }
    const items = costItems(views, below);
    this.items = items;
    return items;
  }
}

/** A copy of the summary alone, the caller's to change. */
export function summaryOf(detail: ExecutionDetail): ExecutionSummary {
  const { segments, nodes, outsideNodes, ...summary } = detail;
  return structuredClone(summary);
}
