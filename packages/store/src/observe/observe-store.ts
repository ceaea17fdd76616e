import type { PruneRequest, ScopedStore, SpanRecord, TraceReader, TraceStore } from "@spanloom/model";
import { type CallMeter, createCallMeter, type ObserveOptions, type StoreStats } from "./call-meter.ts";

/** What {@link observeStore} gives. */
export interface ObservedStore extends TraceStore {
  /** What the store was asked so far, by method: those that were never called are not there. */
  stats(): StoreStats;
}

/**
 * The same store, counted: how often each method was called, how long it took, how it failed, how many rows and bytes
 * went through. Answers and errors are the store's own. Watches and streams go through uncounted.
 */
export function observeStore(store: TraceStore, options: ObserveOptions = {}): ObservedStore {
  const meter = createCallMeter(store.name, options);
  return {
    name: store.name,
    capabilities: store.capabilities,
    forScope: (scope) => new ObservedScope(store.forScope(scope), meter),
    prune: (request) => meter.count(undefined, "prune", () => store.prune(request), { rows: spansOf }),
    close: () => store.close(),
    stats: () => meter.stats(),
  };
}

const spansOf = ({ spans }: { spans: number }): number => spans;

class ObservedScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: ScopedStore["capabilities"];
  readonly watch?: NonNullable<TraceReader["watch"]>;
  readonly follow?: NonNullable<TraceReader["follow"]>;
  readonly getConfig?: NonNullable<TraceReader["getConfig"]>;
  private readonly inner: ScopedStore;
  private readonly meter: CallMeter;

  constructor(inner: ScopedStore, meter: CallMeter) {
    this.inner = inner;
    this.meter = meter;
    this.scope = inner.scope;
    this.capabilities = inner.capabilities;
    if (inner.watch !== undefined) this.watch = inner.watch.bind(inner);
    if (inner.follow !== undefined) this.follow = inner.follow.bind(inner);
    if (inner.getConfig !== undefined) this.getConfig = inner.getConfig.bind(inner);
  }

  write: ScopedStore["write"] = (spans: readonly SpanRecord[]) =>
    this.meter.count(this.scope, "write", () => this.inner.write(spans), {
      rows: () => (Array.isArray(spans) ? spans.length : 0),
      data: () => spans,
    });

  listExecutions: ScopedStore["listExecutions"] = (query) =>
    this.meter.count(this.scope, "listExecutions", () => this.inner.listExecutions(query), {
      rows: ({ items }) => items.length,
    });

  getExecutions: ScopedStore["getExecutions"] = (executionIds) =>
    this.meter.count(this.scope, "getExecutions", () => this.inner.getExecutions(executionIds), {
      rows: (executions) => executions.length,
    });

  getExecution: ScopedStore["getExecution"] = (executionId) =>
    this.meter.count(this.scope, "getExecution", () => this.inner.getExecution(executionId));

  getTrace: ScopedStore["getTrace"] = ((
    executionId: string,
    query?: Parameters<ScopedStore["getTrace"]>[1],
  ) =>
    this.meter.count(this.scope, "getTrace", () => this.inner.getTrace(executionId, query), {
      rows: (page) => page?.spans.length ?? 0,
    })) as ScopedStore["getTrace"];

  getSpan: ScopedStore["getSpan"] = (executionId, spanId, traceId) =>
    this.meter.count(this.scope, "getSpan", () => this.inner.getSpan(executionId, spanId, traceId));

  changesSince: ScopedStore["changesSince"] = (executionId, seq, options) =>
    this.meter.count(this.scope, "changesSince", () => this.inner.changesSince(executionId, seq, options), {
      rows: (changes) => (changes === undefined ? 0 : changes.spans.length + changes.removed.length),
    });

  searchSpans: ScopedStore["searchSpans"] = (executionId, query) =>
    this.meter.count(this.scope, "searchSpans", () => this.inner.searchSpans(executionId, query), {
      rows: (matches) => matches?.items.length ?? 0,
    });

  getRunMetrics: ScopedStore["getRunMetrics"] = (executionId) =>
    this.meter.count(this.scope, "getRunMetrics", () => this.inner.getRunMetrics(executionId), {
      rows: (metrics) => metrics?.stages.length ?? 0,
    });

  getDailyCosts: ScopedStore["getDailyCosts"] = (query) =>
    this.meter.count(this.scope, "getDailyCosts", () => this.inner.getDailyCosts(query), {
      rows: ({ days }) => days.length,
    });

  getAnalytics: ScopedStore["getAnalytics"] = (query) =>
    this.meter.count(this.scope, "getAnalytics", () => this.inner.getAnalytics(query), {
      rows: ({ groups }) => groups.length,
    });

  deleteExecution: ScopedStore["deleteExecution"] = (executionId) =>
    this.meter.count(this.scope, "deleteExecution", () => this.inner.deleteExecution(executionId), {
      rows: (found) => Number(found),
    });

  prune: ScopedStore["prune"] = (request: PruneRequest) =>
    this.meter.count(this.scope, "prune", () => this.inner.prune(request), { rows: spansOf });

  redact: ScopedStore["redact"] = (rule, selection) =>
    this.meter.count(this.scope, "redact", () => this.inner.redact(rule, selection), { rows: spansOf });

  recompute: ScopedStore["recompute"] = () =>
    this.meter.count(this.scope, "recompute", () => this.inner.recompute(), {
      rows: ({ executions }) => executions,
    });
}
