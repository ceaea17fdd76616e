import type { ExecutionSummary, GetTraceQuery, SpanRecord, TraceReader } from "@spanloom/model";

/** A reader that hands out one finished trace in pages and does nothing else: what is measured is the panel. */
export function readerOf(empty: TraceReader, spans: readonly SpanRecord[]): TraceReader {
  const root = spans[0];
  if (root === undefined) throw new RangeError("A trace has at least one span.");
  const execution: ExecutionSummary = {
    executionId: root.executionId,
    status: "completed",
    traceIds: [root.traceId],
    startTime: root.startTime,
    spanCount: spans.length,
    openSpanCount: 0,
    errorCount: 0,
    nodeCount: 0,
    usage: {
      items: 0,
      known: { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 },
    },
    cost: { priced: 0, unpriced: 0 },
    seq: 1,
  };
  const getTrace = async (
    _executionId: string,
    query: GetTraceQuery = {},
  ): Promise<{
    execution: ExecutionSummary;
    spans: SpanRecord[];
    asOfSeq: number;
    spanCount: number;
    nextCursor?: string;
  }> => {
    const from = Number(query.cursor ?? 0);
    const to = from + 10_000;
    const page = { execution, spans: spans.slice(from, to), asOfSeq: 1, spanCount: spans.length };
    return to < spans.length ? { ...page, nextCursor: String(to) } : page;
  };
  return {
    listExecutions: (query) => empty.listExecutions(query),
    getExecutions: (ids) => empty.getExecutions(ids),
    getExecution: (id) => empty.getExecution(id),
    getTrace,
    getSpan: (id, spanId) => empty.getSpan(id, spanId),
    changesSince: async (_id, seq) => ({ execution, spans: [], removed: [], seq, more: false }),
    getRunMetrics: (id) => empty.getRunMetrics(id),
    getDailyCosts: (query) => empty.getDailyCosts(query),
    getAnalytics: (query) => empty.getAnalytics(query),
    searchSpans: (id, query) => empty.searchSpans(id, query),
  };
}
