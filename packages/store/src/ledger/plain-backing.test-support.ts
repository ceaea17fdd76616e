import { type SpanRecord, spanKey } from "@spanloom/model";
import { AnalyticsCells, UsageCells } from "./cells.ts";
import type {
  ChangedExecution,
  ExecutionCell,
  LedgerChanges,
  Missing,
  StoredExecution,
  StoredPart,
  StoredSpan,
  StoredTrace,
} from "./changes.ts";

/** Keeps what a ledger says, and nothing else: the least that an adapter must do. */
export class PlainBacking {
  readonly spans: Map<string, StoredSpan & { record: SpanRecord }> = new Map();
  readonly executions: Map<string, ChangedExecution> = new Map();
  readonly gone: Map<string, Map<string, StoredExecution["gone"][number]>> = new Map();
  readonly traces: Map<string, StoredTrace> = new Map();
  readonly usage: Map<string, ExecutionCell> = new Map();
  readonly rollup: UsageCells = new UsageCells();
  readonly analytics: AnalyticsCells = new AnalyticsCells();
  readonly pruned: { rollup: UsageCells; analytics: AnalyticsCells } = {
    rollup: new UsageCells(),
    analytics: new AnalyticsCells(),
  };

  save(given: LedgerChanges): void {
    for (const { record, json } of given.spans) {
      if (record !== undefined && json !== JSON.stringify(record)) throw new Error("json is not the record");
    }
    const changes = structuredClone(given);
    for (const { facts, executionId, insSeq, seq, record } of changes.spans) {
      const place: StoredSpan = { facts, executionId, insSeq, seq };
      const key = spanKey(place.facts);
      const kept = record ?? this.spans.get(key)?.record;
      if (kept === undefined) throw new Error(`${key} has moved and was never saved.`);
      this.spans.set(key, { ...place, record: kept });
    }
    for (const removed of changes.removed) this.spans.delete(spanKey(removed));
    for (const { executionId, ...gone } of changes.gone) {
      const own = this.gone.get(executionId) ?? new Map();
      this.gone.set(executionId, own.set(spanKey(gone), gone));
    }
    for (const { executionId, ...span } of changes.returned) {
      if (this.gone.get(executionId)?.delete(spanKey(span)) !== true) throw new Error("It was not gone.");
    }
    for (const execution of changes.executions) this.executions.set(execution.executionId, execution);
    for (const cell of changes.usage) {
      const key = JSON.stringify([cell.executionId, cell.bucket, cell.model]);
      if (cell.sums.every((value) => value === 0)) this.usage.delete(key);
      else this.usage.set(key, cell);
    }
    for (const cell of changes.rollup) this.rollup.add(cell);
    for (const cell of changes.analytics) this.analytics.add(cell);
    for (const trace of changes.traces) this.traces.set(trace.traceId, trace);
    for (const executionId of changes.forgotten) {
      this.executions.delete(executionId);
      this.gone.delete(executionId);
      for (const [key, cell] of this.usage) if (cell.executionId === executionId) this.usage.delete(key);
    }
    for (const cell of changes.pruned.rollup) this.pruned.rollup.add(cell);
    for (const cell of changes.pruned.analytics) this.pruned.analytics.add(cell);
  }

  readonly load = async ({ traceIds, executionIds }: Missing): Promise<StoredPart> => {
    const spans = [...this.spans.values()].filter(
      ({ facts, executionId }) => traceIds.includes(facts.traceId) || executionIds.includes(executionId),
    );
    const executions = executionIds.flatMap((id): StoredExecution[] => {
      const row = this.executions.get(id);
      if (row === undefined) return [];
      const { executionId, seq, deleted } = row;
      return [{ executionId, seq, deleted, gone: [...(this.gone.get(id)?.values() ?? [])] }];
    });
    const traces = traceIds.flatMap((id) => this.traces.get(id) ?? []);
    const stored = spans.map(({ record: _, ...span }) => span);
    return JSON.parse(JSON.stringify({ spans: stored, executions, traces })) as StoredPart;
  };
}
