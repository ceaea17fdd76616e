import type {
  DailyCosts,
  DailyCostsQuery,
  ExecutionDetail,
  ExecutionSummary,
  GetTraceQuery,
  ListExecutionsQuery,
  Page,
  RunMetrics,
  ScopedStore,
  SpanRecord,
  StoreCapabilities,
  TraceChanges,
  TracePage,
  TraceStore,
  WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkRecords, checkScope, checkWhole, storeClosed } from "../check-arguments.ts";
import { listPage } from "../list-query.ts";
import { createPageRoom } from "../page-room.ts";
import { MemoryAnswers, summaryOf } from "./answers.ts";
import { copySkeleton } from "./copies.ts";
import { TracePages } from "./pages.ts";
import type { HeldExecution, MemorySpans } from "./spans.ts";

const CAPABILITIES: StoreCapabilities = {
  durability: "memory",
  concurrentWriters: false,
  crossProcessReads: false,
  provenSpansPerExecution: 100_000,
};

/** The store over any keeper of spans. */
export function memoryStoreOf(makeSpans: (scope: string) => MemorySpans): TraceStore {
  const scopes = new Map<string, MemoryScope>();
  const state = { closed: false };
  return {
    name: "memory",
    capabilities: CAPABILITIES,
    forScope(scope) {
      if (state.closed) throw storeClosed("memory");
      const name = checkScope(scope);
      let scoped = scopes.get(name);
      if (scoped === undefined) {
        scoped = new MemoryScope(name, makeSpans(name), state);
        scopes.set(name, scoped);
      }
      return scoped;
    },
    async close() {
      state.closed = true;
      scopes.clear();
    },
  };
}

class MemoryScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  private readonly spans: MemorySpans;
  private readonly state: { readonly closed: boolean };
  private readonly answers: MemoryAnswers;
  private readonly pages = new TracePages();
  private readonly watchers = new Map<string, Set<() => void>>();

  constructor(scope: string, spans: MemorySpans, state: { readonly closed: boolean }) {
    this.scope = scope;
    this.spans = spans;
    this.state = state;
    this.answers = new MemoryAnswers(spans);
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    this.checkOpen();
    const changed = new Set<string>();
    const receipt = this.spans.write(checkRecords(spans), changed);
    this.announce(changed);
    return receipt;
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    this.checkOpen();
    const changed = new Set<string>();
    const found = this.spans.delete(executionId, changed);
    this.announce(changed);
    return found;
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    this.checkOpen();
    return this.answers.recompute();
  }

  async listExecutions(query?: ListExecutionsQuery): Promise<Page<ExecutionSummary>> {
    this.checkOpen();
    const details: ExecutionDetail[] = [];
    for (const execution of this.spans.executions.values()) {
      if (execution.spanCount > 0) details.push(this.answers.detail(execution));
    }
    const page = listPage(details, query);
    return { ...page, items: page.items.map((item) => summaryOf(item as ExecutionDetail)) };
  }

  async getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]> {
    this.checkOpen();
    return checkExecutionIds(executionIds).flatMap((id) => {
      const execution = this.find(id);
      return execution === undefined ? [] : [summaryOf(this.answers.detail(execution))];
    });
  }

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    this.checkOpen();
    const execution = this.find(executionId);
    return execution && structuredClone(this.answers.detail(execution));
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    this.checkOpen();
    const execution = this.find(executionId);
    if (execution === undefined) return undefined;
    const page = this.pages.page(execution, query);
    return { execution: summaryOf(this.answers.detail(execution)), ...page };
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    this.checkOpen();
    const execution = this.find(executionId);
    if (execution === undefined) return undefined;
    const traceIds = traceId === undefined ? this.answers.detail(execution).traceIds : [traceId];
    for (const id of traceIds) {
      const span = execution.feed.get(`${id}/${spanId}`)?.span;
      if (span !== undefined) return structuredClone(span.view);
    }
    return undefined;
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    this.checkOpen();
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    const execution = this.spans.executions.get(executionId);
    // An execution that vanished or was deleted still tells those who followed it what went away.
    const gone = execution?.spanCount === 0 && (since === 0 || since >= execution.seq);
    if (execution === undefined || gone) return undefined;
    const changes: TraceChanges = {
      execution: summaryOf(this.answers.detail(execution)),
      spans: [],
      removed: [],
      seq: execution.seq,
      more: false,
    };
    const fits = createPageRoom();
    for (const { span, traceId, spanId, seq: at } of execution.feed.values()) {
      if (at <= since) continue;
      const copy = span && copySkeleton(span.view);
      const full = changes.spans.length + changes.removed.length === limit;
      if (full || (copy !== undefined && !fits(copy.length))) {
        changes.more = true;
        break;
      }
      if (copy === undefined) changes.removed.push({ traceId, spanId });
      else changes.spans.push(copy.span);
      changes.seq = at;
    }
    if (!changes.more) changes.seq = execution.seq;
    return changes;
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    this.checkOpen();
    const execution = this.find(executionId);
    return execution && structuredClone(this.answers.runMetrics(execution));
  }

  async getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts> {
    this.checkOpen();
    return this.answers.dailyCosts(query);
  }

  watch(executionId: string, wake: () => void): () => void {
    this.checkOpen();
    const watchers = this.watchers.get(executionId) ?? new Set();
    this.watchers.set(executionId, watchers);
    // A function of our own, so that the same `wake` may watch twice.
    const watcher = (): void => wake();
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watchers.get(executionId) === watchers)
        this.watchers.delete(executionId);
    };
  }

  private find(executionId: string): HeldExecution | undefined {
    const execution = this.spans.executions.get(executionId);
    return execution === undefined || execution.spanCount === 0 ? undefined : execution;
  }

  /** Wakes whoever watches, after the write's own promise: nobody's error may reach the writer. */
  private announce(changed: ReadonlySet<string>): void {
    if (changed.size > 0) this.answers.changed();
    for (const executionId of changed) {
      for (const wake of this.watchers.get(executionId) ?? []) queueMicrotask(() => quietly(wake));
    }
  }

  private checkOpen(): void {
    if (this.state.closed) throw storeClosed("memory");
  }
}

function quietly(wake: () => void): void {
  try {
    wake();
  } catch {
    // A watcher's failure is its own.
  }
}
