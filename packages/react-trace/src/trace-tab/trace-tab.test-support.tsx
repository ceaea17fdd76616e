import type { ExecutionSummary, ScopedStore, SpanRecord, TraceReader } from "@spanloom/model";
import { ObservabilityProvider, type ObservabilityProviderProps } from "@spanloom/react-core";
import { createMemoryStore } from "@spanloom/store/memory";
import { type RenderResult, render } from "@testing-library/react";
import type { ReactElement } from "react";
import { TraceTab, type TraceTabProps } from "./TraceTab.tsx";
import "@spanloom/react-core/styles.css";
import "../styles.css";

/** A real store in memory that holds these spans. */
export async function storeWith(...traces: readonly SpanRecord[][]): Promise<ScopedStore> {
  const store = createMemoryStore().forScope("test");
  for (const spans of traces) await store.write(spans);
  return store;
}

/** The store, with some of its methods replaced. */
export function reading(store: TraceReader, changes: Partial<TraceReader>): TraceReader {
  return {
    listExecutions: (query) => store.listExecutions(query),
    getExecutions: (ids) => store.getExecutions(ids),
    getExecution: (id) => store.getExecution(id),
    getTrace: store.getTrace.bind(store),
    getSpan: (id, spanId, traceId) => store.getSpan(id, spanId, traceId),
    changesSince: (id, seq, options) => store.changesSince(id, seq, options),
    getRunMetrics: (id) => store.getRunMetrics(id),
    getDailyCosts: (query) => store.getDailyCosts(query),
    getAnalytics: (query) => store.getAnalytics(query),
    searchSpans: (id, query) => store.searchSpans(id, query),
    ...(store.watch && { watch: store.watch.bind(store) }),
    ...changes,
  };
}

/** A reader of one finished trace that costs nothing to fill: pages of 10,000 straight from the array. */
export function readerOf(spans: readonly SpanRecord[]): TraceReader {
  const first = spans[0] as SpanRecord;
  const execution: ExecutionSummary = {
    executionId: first.executionId,
    workflowName: "made",
    status: "completed",
    traceIds: [first.traceId],
    startTime: first.startTime,
    ...(first.endTime !== undefined && { endTime: first.endTime }),
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
  return reading(createMemoryStore().forScope("empty"), {
    getTrace: (async (_id: string, query: { cursor?: string } = {}) => {
      const from = Number(query.cursor ?? 0);
      const next = from + 10_000;
      return {
        execution,
        spans: spans.slice(from, next),
        asOfSeq: 1,
        spanCount: spans.length,
        ...(next < spans.length && { nextCursor: String(next) }),
      };
    }) as TraceReader["getTrace"],
    changesSince: async (_id, seq) => ({ execution, spans: [], removed: [], seq, more: false }),
    getSpan: async (_id, spanId) => spans.find((span) => span.spanId === spanId),
  });
}

export interface Shown extends RenderResult {
  /** Renders again with other props. */
  update(props: Partial<TraceTabProps>): void;
}

export interface ShowOptions {
  width?: number;
  height?: number;
  provider?: Partial<ObservabilityProviderProps>;
}

/** The panel in a box of a given size. */
export function show(reader: TraceReader, props: TraceTabProps, options: ShowOptions = {}): Shown {
  const { width = 1200, height = 600, provider } = options;
  let current = props;
  const tree = (): ReactElement => (
    <div style={{ inlineSize: width, blockSize: height }}>
      <ObservabilityProvider store={reader} locale="en" timeZone="UTC" {...provider}>
        <TraceTab {...current} />
      </ObservabilityProvider>
    </div>
  );
  const result = render(tree());
  return Object.assign(result, {
    update(change: Partial<TraceTabProps>) {
      current = { ...current, ...change };
      result.rerender(tree());
    },
  });
}
