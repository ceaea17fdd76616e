import { createSpanSearch } from "@spanloom/metrics";
import {
  type AnalyticsQuery,
  type DailyCostsQuery,
  type ExecutionDetail,
  type ExecutionSummary,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type PruneReport,
  type PruneRequest,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type RunMetrics,
  type ScopedStore,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
  type SpanSkeleton,
  type StoreCapabilities,
  type TraceChanges,
  type TracePage,
  toSkeleton,
  type WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkPrune, checkRecords, checkWhole } from "../check-arguments.ts";
import { redactStored } from "../redact-stored.ts";
import { textProblem } from "../sql/row-codec.ts";
import { admit } from "./admit.ts";
import { detailOf, runMetricsOfExecution, summaryOf } from "./answers.ts";
import type { Backing } from "./backing.ts";
import type { Missing } from "./changes.ts";
import { changesOf } from "./changes-of.ts";
import { TracePages } from "./pages.ts";
import { pruneScope } from "./prune-scope.ts";
import { type BackedState, ScopeCore } from "./scope-core.ts";
import { SearchDraft } from "./search-pages.ts";

/** One scope of a store whose rows are kept by a backing: the ledger decides, one call after the other. */
export class BackedScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities;
  private readonly core: ScopeCore;
  private readonly pages = new TracePages();

  constructor(scope: string, backing: Backing, state: BackedState) {
    this.scope = scope;
    this.capabilities = state.capabilities;
    this.core = new ScopeCore(backing, state);
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    const admitted = admit(checkRecords(spans), this.core.backing.recordProblem ?? textProblem);
    return this.core.change(async () => {
      const records = admitted.records.map(({ record }) => record);
      await this.core.hold(idsOf(records));
      const stored = await this.core.storedTies(records);
      const { receipt, changes } = this.core.ledger.apply(admitted, (key) => stored.get(key));
      await this.core.save(changes);
      return receipt;
    });
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    return this.core.change(async () => {
      const ids = { traceIds: [], executionIds: [executionId] };
      await this.core.hold(ids);
      const changes = this.core.ledger.delete(executionId);
      if (changes !== undefined) await this.core.save(changes);
      // Also where it is gone already: an earlier call may have broken off before its bytes vanished.
      if (this.core.ledger.execution(executionId)?.deleted)
        await this.core.backing.erase?.(new Set([executionId]));
      return changes !== undefined;
    });
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    const checked = checkPrune(request);
    return this.core.change(() => pruneScope(this.core, checked));
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    this.core.checkOpen();
    // Also those that need no change (any more): an earlier call may have broken off before the old bytes vanished.
    const lookedAt = new Set<string>();
    try {
      return await redactStored(
        {
          listExecutions: this.listExecutions,
          getExecutions: this.getExecutions,
          getTrace: ((executionId: string, query?: GetTraceQuery) => {
            lookedAt.add(executionId);
            return this.getTrace(executionId, query);
          }) as ScopedStore["getTrace"],
          getSpan: this.getSpan.bind(this),
          write: this.write.bind(this),
        },
        rule,
        selection,
      );
    } finally {
      if (lookedAt.size > 0) await this.core.change(() => this.erase(lookedAt));
    }
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    return this.core.change(async () => {
      const corrected: string[] = [];
      await this.core.hold({ traceIds: [], executionIds: [] });
      const ids = await this.core.backing.executionIds();
      for (const executionId of ids) {
        const one = { traceIds: [], executionIds: [executionId] };
        // From the stored spans, not from what is held.
        this.core.ledger.forget(one);
        await this.core.hold(one);
        const execution = this.core.ledger.execution(executionId);
        if (execution !== undefined && (await this.core.backing.recompute(execution)))
          corrected.push(executionId);
        this.core.ledger.trim();
      }
      this.core.watchers.wake(corrected);
      return { executions: ids.length, corrected };
    });
  }

  /** What others wrote meanwhile is no older state. */
  private async erase(executionIds: ReadonlySet<string>): Promise<void> {
    await this.core.hold({ traceIds: [], executionIds: [] });
    await this.core.backing.erase?.(executionIds);
  }

  listExecutions: ScopedStore["listExecutions"] = async (query: ListExecutionsQuery = {}) => {
    await this.core.ready();
    return this.core.backing.listExecutions(query);
  };

  getExecutions: ScopedStore["getExecutions"] = async (executionIds): Promise<ExecutionSummary[]> => {
    const ids = checkExecutionIds(executionIds);
    await this.core.ready();
    return this.core.backing.getExecutions(ids);
  };

  getDailyCosts: ScopedStore["getDailyCosts"] = async (query: DailyCostsQuery) => {
    await this.core.ready();
    return this.core.backing.getDailyCosts(query);
  };

  getAnalytics: ScopedStore["getAnalytics"] = async (query: AnalyticsQuery) => {
    await this.core.ready();
    return this.core.backing.getAnalytics(query);
  };

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    return this.core.about(executionId, detailOf);
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    return this.core.about(executionId, runMetricsOfExecution);
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    const begun = await this.core.about(executionId, (execution) => ({
      draft: this.pages.start(execution, query),
      execution: summaryOf(execution),
    }));
    if (begun === undefined) return undefined;
    const { draft, execution } = begun;
    for (let refs = draft.next(); refs.length > 0; refs = draft.next()) {
      for (const json of await this.core.read(executionId, refs, draft.view)) {
        draft.add(json === undefined ? undefined : { span: parse(json, draft.view), length: json.length });
      }
    }
    return { execution, ...draft.finish() };
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    const refs = await this.core.about(executionId, (execution) =>
      summaryOf(execution)
        .traceIds.filter((id) => traceId === undefined || id === traceId)
        .map((id) => ({ traceId: id, spanId }))
        .filter((ref) => this.core.ledger.belongs(ref, executionId)),
    );
    const found = await this.core.read(executionId, refs ?? [], "full");
    const json = found.find((one) => one !== undefined);
    return json === undefined ? undefined : (JSON.parse(json) as SpanRecord);
  }

  async searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    const search = createSpanSearch(query);
    const draft = await this.core.about(
      executionId,
      (execution) => new SearchDraft(this.pages, execution, query),
    );
    if (draft === undefined) return undefined;
    for (let refs = draft.next(); refs.length > 0; refs = draft.next()) {
      for (const json of await this.core.read(executionId, refs, "full")) {
        draft.add(json === undefined ? [] : search(JSON.parse(json) as SpanRecord));
      }
    }
    return draft.finish();
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    return changesOf(this.core, executionId, since, limit);
  }

  watch(executionId: string, wake: () => void): () => void {
    this.core.checkOpen();
    return this.core.watchers.add(executionId, wake);
  }

  /** Resolves when every call that was made is done, and the backing has let go. */
  close(): Promise<void> {
    return this.core.close();
  }
}

/** Each once: many spans share a trace. */
function idsOf(records: readonly SpanRecord[]): Missing {
  return {
    traceIds: [...new Set(records.map((record) => record.traceId))],
    executionIds: [...new Set(records.map((record) => record.executionId))],
  };
}

function parse(json: string, view: "skeleton" | "full"): SpanSkeleton {
  const record = JSON.parse(json) as SpanRecord;
  return view === "full" ? record : toSkeleton(record);
}
