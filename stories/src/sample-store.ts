import { nanosFromMillis, type ScopedStore, type SpanRecord, type TraceReader } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { createMemoryStore } from "@spanloom/store/memory";

const DAY_MS = 86_400_000;
const WORKFLOWS = [
  ["invoice-approval", "Invoice approval"],
  ["document-brief", "Document brief"],
  ["vendor-onboarding", "Vendor onboarding"],
  ["contract-review", "Contract review"],
  ["expense-audit", "Expense audit"],
  ["support-triage", "Support triage"],
  ["price-watch", "Price watch"],
  ["month-end", "Month end close"],
] as const;

/** The last day of every sample, so that pictures of it stay equal. */
export const LAST_DAY = "2026-11-20";

/** A store with some executions on each of the last days up to {@link LAST_DAY}, fewer on weekends, some failed. */
export async function sampleHistory(days: number): Promise<ScopedStore> {
  const store = createMemoryStore().forScope("stories");
  const end = Date.parse(`${LAST_DAY}T00:00:00Z`);
  const spans: SpanRecord[] = [];
  for (let ago = days - 1; ago >= 0; ago--) {
    const day = end - ago * DAY_MS;
    const weekend = [0, 6].includes(new Date(day).getUTCDay());
    const count = weekend ? 1 : 3 + ((ago * 5) % 4);
    for (let index = 0; index < count; index++) spans.push(...sampleExecution(day, ago, index));
  }
  await store.write(spans);
  return store;
}

/** Like {@link sampleHistory}, with one execution that began just now and goes on. */
export async function runningHistory(): Promise<ScopedStore> {
  const store = await sampleHistory(3);
  const started = nanosFromMillis(Date.now() - 42_000);
  await store.write(
    unended(makeTrace({ spans: 14, seed: 7, startTime: started, executionId: "exec-running" })),
  );
  return store;
}

/** A reader that answers as `store` does, but for what `change` says, and whose last day is always the same. */
export function sampleReader(store: ScopedStore, change: Partial<TraceReader> = {}): TraceReader {
  const reader: TraceReader = {
    listExecutions: (query) => store.listExecutions(query),
    getExecutions: (ids) => store.getExecutions(ids),
    getExecution: (id) => store.getExecution(id),
    getTrace: store.getTrace.bind(store),
    getSpan: (id, spanId, traceId) => store.getSpan(id, spanId, traceId),
    changesSince: (id, seq, options) => store.changesSince(id, seq, options),
    getRunMetrics: (id) => store.getRunMetrics(id),
    getDailyCosts: (query) => store.getDailyCosts({ lastDay: LAST_DAY, ...query }),
    getAnalytics: (query) => store.getAnalytics({ lastDay: LAST_DAY, ...query }),
    searchSpans: (id, query) => store.searchSpans(id, query),
  };
  return { ...reader, ...change };
}

/** An answer that never comes. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

function sampleExecution(day: number, ago: number, index: number): SpanRecord[] {
  const seed = ago * 10 + index + 1;
  const [workflowId, workflowName] = WORKFLOWS[(ago + index * 3) % WORKFLOWS.length] ?? WORKFLOWS[0];
  const spans = makeTrace({
    spans: 12 + ((seed * 7) % 30),
    seed,
    startTime: nanosFromMillis(day + (8 + index) * 3_600_000 + ((seed * 977_003) % 3_000_000)),
    executionId: `exec-${1000 + seed}`,
    workflowId,
    workflowName,
    content: false,
  });
  // Most hosts give their local models a price of their own; here and there one is missing.
  if (seed % 11 !== 0) {
    for (const span of spans) {
      const { input = 0, output = 0 } = span.usage ?? {};
      if (span.kind === "llm") span.cost ??= { nanoUsd: input * 90 + output * 90, source: "override" };
    }
  }
  const [root] = spans;
  if (root !== undefined && seed % 9 === 4) {
    root.executionStatus = seed % 2 === 0 ? "failed" : "cancelled";
    root.status = { code: "error", message: "A step could not be finished" };
  }
  return spans;
}

/** The trace as it stands while its last span, and all that it is in, still run. */
function unended(spans: SpanRecord[]): SpanRecord[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const running = new Set<SpanRecord>();
  for (let span = spans.at(-1); span !== undefined; span = byId.get(span.parentSpanId ?? ""))
    running.add(span);
  return spans.map((span) => {
    if (!running.has(span)) return span;
    const { endTime, usage, cost, output, ...open } = span;
    const isRoot = span.parentSpanId === undefined;
    return { ...open, status: { code: "unset" }, ...(isRoot && { executionStatus: "running" }) };
  });
}
