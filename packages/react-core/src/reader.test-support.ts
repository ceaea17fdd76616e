import type { GetTraceQuery, ScopedStore, SpanRecord, TracePage, TraceReader } from "@spanloom/model";

export type ReadSkeletons = (executionId: string, query?: GetTraceQuery) => Promise<TracePage | undefined>;

/** A reader that answers as `store` does, but for what `change` says. */
export function readerOf(
  store: ScopedStore,
  change: Partial<Omit<TraceReader, "getTrace">> & { getTrace?: ReadSkeletons } = {},
): TraceReader {
  return {
    listExecutions: (query) => store.listExecutions(query),
    getExecutions: (ids) => store.getExecutions(ids),
    getExecution: (id) => store.getExecution(id),
    getSpan: (id, spanId, traceId) => store.getSpan(id, spanId, traceId),
    changesSince: (id, seq, options) => store.changesSince(id, seq, options),
    getRunMetrics: (id) => store.getRunMetrics(id),
    getDailyCosts: (query) => store.getDailyCosts(query),
    getAnalytics: (query) => store.getAnalytics(query),
    searchSpans: (id, query) => store.searchSpans(id, query),
    ...(store.watch !== undefined && { watch: store.watch.bind(store) }),
    ...change,
    getTrace,
  };

  function getTrace(
    id: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  function getTrace(id: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  function getTrace(id: string, query?: GetTraceQuery): Promise<TracePage | undefined> {
    return change.getTrace === undefined ? store.getTrace(id, query) : change.getTrace(id, query);
  }
}

/** A promise that somebody else resolves. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
