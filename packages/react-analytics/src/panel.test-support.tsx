import type { PanelConfig, ScopedStore, SpanRecord, TraceReader } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { ObservabilityProvider } from "@spanloom/react-core";
import { createMemoryStore } from "@spanloom/store/memory";
import { type RenderResult, render } from "@testing-library/react";
import type { ReactElement } from "react";

/** A store in memory that holds these spans. */
export async function storeWith(spans: readonly SpanRecord[]): Promise<ScopedStore> {
  const store = createMemoryStore().forScope("test");
  await store.write(spans);
  return store;
}

/** Shows a panel as a host would, in English and Berlin's time. */
export function show(panel: ReactElement, store: TraceReader, widthPx?: number): RenderResult {
  return render(
    <div style={widthPx === undefined ? undefined : { inlineSize: widthPx }}>
      <ObservabilityProvider store={store} locale="en-US" timeZone="Europe/Berlin">
        {panel}
      </ObservabilityProvider>
    </div>,
  );
}

/** The same store behind a server that gives its caller this configuration. */
export function withConfig(store: ScopedStore, config: PanelConfig): TraceReader {
  return changed(store, { getConfig: async () => config });
}

/** The same store with some answers of its own. */
export function changed(store: ScopedStore, change: Partial<TraceReader>): TraceReader {
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
    ...change,
  };
}

/** One model call that is an execution by itself, at noon in Berlin. Without a cost its price is unknown. */
export function call(day: string, number: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  const start = BigInt(Date.parse(`${day}T11:00:00Z`)) * 1_000_000n;
  const id = number.toString(16);
  return makeSpan({
    traceId: id.padStart(32, "a"),
    spanId: id.padStart(16, "0"),
    executionId: `execution-${number}`,
    workflowId: "invoices",
    workflowName: "Invoices",
    kind: "llm",
    executionStatus: "completed",
    startTime: String(start),
    endTime: String(start + BigInt(number) * 1_000_000_000n),
    nodeId: "answer",
    usage: { input: 100 * number, output: 10 },
    ...fields,
  });
}

/** A cost in cents, as a provider reports it. */
export function cents(amount: number): Pick<SpanRecord, "cost"> {
  return { cost: { nanoUsd: amount * 10_000_000, source: "reported" } };
}
