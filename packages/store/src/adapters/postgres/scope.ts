import type {
  Analytics,
  AnalyticsQuery,
  DailyCosts,
  DailyCostsQuery,
  ExecutionDetail,
  ExecutionSummary,
  GetTraceQuery,
  ListExecutionsQuery,
  Page,
  PruneReport,
  PruneRequest,
  RedactReport,
  RedactRule,
  RedactSelection,
  RunMetrics,
  ScopedStore,
  SearchSpansQuery,
  SpanMatches,
  SpanRecord,
  StoreCapabilities,
  TraceChanges,
  TracePage,
  WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkRecords, checkWhole } from "../../check-arguments.ts";
import { admit } from "../../ledger/admit.ts";
import { redactStored } from "../../redact-stored.ts";
import { textProblem } from "../../sql/row-codec.ts";
import { analytics } from "./analytics.ts";
import { dailyCosts } from "./daily-costs.ts";
import type { Session } from "./database.ts";
import { type FoundExecution, findExecution } from "./find-execution.ts";
import { checkList, getExecutions, listExecutions } from "./list-executions.ts";
import type { Names } from "./names.ts";
import type { Opened } from "./opening.ts";
import { type CheckedPrune, checkPrune, pruneScope } from "./prune.ts";
import { readDetail, readRunMetrics } from "./read-metrics.ts";
import type { SpanReader } from "./read-spans.ts";
import { recompute } from "./recompute.ts";
import type { OpenScope, ScopeWriter } from "./scope-writer.ts";
import type { Watching } from "./watching.ts";

export const CAPABILITIES: StoreCapabilities = {
  durability: "power-loss",
  concurrentWriters: true,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 100_000,
};

/** What the scopes of a store share, and the writer of one. */
export interface ScopeParts {
  writer: ScopeWriter;
  /** As SQL. */
  schema: string;
  watching: Watching;
  spans: SpanReader;
  call<T>(work: (opened: Opened) => Promise<T>): Promise<T>;
  onWrite(): void;
}

/** One tenant's handle. */
export class PostgresScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  private readonly parts: ScopeParts;

  constructor(scope: string, parts: ScopeParts) {
    this.scope = scope;
    this.parts = parts;
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    // At once: whoever gave the records may go on to change them.
    const admitted = admit(checkRecords(spans), textProblem);
    this.parts.onWrite();
    const { result, changed } = await this.parts.call(({ db, names }) =>
      this.parts.writer.write(db, names, admitted),
    );
    this.parts.watching.wake(this.scope, changed);
    return result;
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    const committed = await this.commit(false, async (scope) => {
      const ids = { traceIds: [], executionIds: [executionId] };
      await scope.load(scope.ledger.missingIds(ids));
      const changes = scope.ledger.delete(executionId);
      if (changes !== undefined) await scope.save(changes);
      return changes !== undefined;
    });
    return committed ?? false;
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    return this.pruneStep(checkPrune(request));
  }

  /** One step of a request that was checked. */
  async pruneStep(request: CheckedPrune): Promise<PruneReport> {
    const report = await this.commit(true, (scope) => pruneScope(scope, this.parts.schema, request));
    return report ?? { executions: 0, spans: 0, more: false };
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    return redactStored(this, rule, selection);
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    const result = await this.commit(false, (scope) => recompute(scope, this.parts.schema));
    if (result !== undefined) this.parts.watching.wake(this.scope, result.corrected);
    return result ?? { executions: 0, corrected: [] };
  }

  async listExecutions(query: ListExecutionsQuery = {}): Promise<Page<ExecutionSummary>> {
    const read = checkList(query);
    return this.read((session, scopeNo, names) =>
      listExecutions(session, this.parts.schema, names, scopeNo, read),
    );
  }

  async getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]> {
    const ids = checkExecutionIds(executionIds);
    return this.read((session, scopeNo) => getExecutions(session, this.parts.schema, scopeNo, ids));
  }

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    return this.readFound(executionId, (session, found) => readDetail(session, this.parts.schema, found));
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    return this.readFound(executionId, (session, found) => readRunMetrics(session, this.parts.schema, found));
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    return this.readFound(executionId, this.parts.spans.page(executionId, query));
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    return this.readFound(executionId, (session, found) =>
      this.parts.spans.one(session, found, spanId, traceId),
    );
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    return this.read(async (session, scopeNo) => {
      const found = await findExecution(session, this.parts.schema, scopeNo, executionId);
      // An execution that vanished or was deleted still tells those who followed it what went away.
      const gone = found?.hidden === true && (since === 0 || since >= found.summary.seq);
      return found === undefined || gone ? undefined : this.parts.spans.changes(session, found, since, limit);
    });
  }

  async searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    return this.readFound(executionId, this.parts.spans.search(executionId, query));
  }

  async getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts> {
    const answer = dailyCosts(query, Date.now());
    return this.read((session, scopeNo, names) => answer(session, this.parts.schema, names, scopeNo));
  }

  async getAnalytics(query: AnalyticsQuery): Promise<Analytics> {
    const answer = analytics(query, Date.now());
    return this.read((session, scopeNo, names) => answer(session, this.parts.schema, names, scopeNo));
  }

  watch(executionId: string, wake: () => void): () => void {
    return this.parts.watching.add(this.scope, executionId, wake);
  }

  /** `undefined` where the scope is not there and is not to be made. */
  private async commit<T>(make: boolean, work: (scope: OpenScope) => Promise<T>): Promise<T | undefined> {
    this.parts.onWrite();
    const committed = await this.parts.call(({ db, names }) =>
      this.parts.writer.commit(db, names, make, work),
    );
    if (committed === undefined) return undefined;
    this.parts.watching.wake(this.scope, committed.changed);
    return committed.result;
  }

  private read<T>(
    work: (session: Session, scopeNo: number | undefined, names: Names) => Promise<T>,
  ): Promise<T> {
    return this.parts.call(({ db, names }) =>
      db.read(async (session) => work(session, await names.findScope(session, this.scope), names)),
    );
  }

  private readFound<T>(
    executionId: string,
    work: (session: Session, found: FoundExecution) => Promise<T>,
  ): Promise<T | undefined> {
    return this.read(async (session, scopeNo) => {
      const found = await findExecution(session, this.parts.schema, scopeNo, executionId);
      return found === undefined || found.hidden ? undefined : work(session, found);
    });
  }
}
