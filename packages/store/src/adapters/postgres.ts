import { randomBytes } from "node:crypto";
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
  TraceStore,
  WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkRecords, checkScope, checkWhole, storeClosed } from "../check-arguments.ts";
import { admit } from "../ledger/index.ts";
import { redactStored } from "../redact-stored.ts";
import { keepRetention, type Retention } from "../retention.ts";
import { textProblem } from "../sql/row-codec.ts";
import { analytics } from "./postgres/analytics.ts";
import { dailyCosts } from "./postgres/daily-costs.ts";
import type { Session } from "./postgres/database.ts";
import { toStoreError } from "./postgres/errors.ts";
import { type FoundExecution, findExecution } from "./postgres/find-execution.ts";
import { checkList, getExecutions, listExecutions } from "./postgres/list-executions.ts";
import type { Names } from "./postgres/names.ts";
import { createOpening, type Opened, type Opening, type PostgresStoreOptions } from "./postgres/opening.ts";
import { type CheckedPrune, checkPrune, pruneScope, scopesToPrune } from "./postgres/prune.ts";
import { readDetail, readRunMetrics } from "./postgres/read-metrics.ts";
import { createSpanReader, type SpanReader } from "./postgres/read-spans.ts";
import { recompute } from "./postgres/recompute.ts";
import { type OpenScope, ScopeWriter } from "./postgres/scope-writer.ts";
import { createWatching, type Watching } from "./postgres/watching.ts";

export type { PostgresClient, PostgresPool, PostgresQuery, SqlValue } from "./postgres/client.ts";
export type { PostgresStoreOptions } from "./postgres/opening.ts";
export { type PostgresMigration, postgresMigrations } from "./postgres/schema.ts";

/**
 * Keeps traces in PostgreSQL (14 or newer): the store for several machines. The tables are made by the first call. Sums are kept
 * exact with every write, so that lists and charts read only what they show; writes of one scope go one after the other,
 * whichever process they come from, and those of different scopes side by side.
 *
 * Calls reject with `store_full`, `store_failed`, `timed_out`, `schema_mismatch`, `missing_dependency` or `store_closed`; then
 * nothing of a write is stored, or, where the connection broke while it was committed, it may be repeated. Throws
 * `invalid_argument` for options that cannot be used.
 */
export function createPostgresStore(options: PostgresStoreOptions): TraceStore {
  const store = new PostgresStore(options);
  return {
    name: "postgres",
    capabilities: CAPABILITIES,
    forScope: (scope) => store.forScope(scope),
    prune: (request) => store.prune(request),
    close: () => store.close(),
  };
}

const CAPABILITIES: StoreCapabilities = {
  durability: "power-loss",
  concurrentWriters: true,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 100_000,
};

class PostgresStore {
  private readonly opening: Opening;
  private readonly options: PostgresStoreOptions;
  /** Tells this store's commits from those of others. */
  private readonly origin: string = randomBytes(8).toString("hex");
  private readonly scopes = new Map<string, PostgresScope>();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly watching: Watching;
  private retention: Retention | undefined;
  private closed: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    this.options = options;
    this.opening = createOpening(options);
    this.watching = createWatching(this.opening, options.notify === false ? undefined : this.origin);
  }

  forScope(scope: string): ScopedStore {
    if (this.closed !== undefined) throw storeClosed("postgres");
    const name = checkScope(scope);
    let scoped = this.scopes.get(name);
    if (scoped === undefined) {
      const { schema, sqlSchema } = this.opening;
      const origin = this.options.notify === false ? undefined : this.origin;
      const writer = new ScopeWriter({ scope: name, schema, sqlSchema, origin });
      scoped = new PostgresScope(name, writer, sqlSchema, this.watching, (work) => this.call(work));
      this.scopes.set(name, scoped);
    }
    return scoped;
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    const checked = checkPrune(request);
    const scopes = await this.call(({ db }) =>
      db.write(undefined, (session) => scopesToPrune(session, this.opening.sqlSchema, checked)),
    );
    const report: PruneReport = { executions: 0, spans: 0, more: false };
    for (const scope of scopes) {
      const limit = checked.limit - report.executions;
      if (limit <= 0) return { ...report, more: true };
      const step = await (this.forScope(scope) as PostgresScope).pruneStep({ ...checked, limit });
      report.executions += step.executions;
      report.spans += step.spans;
      if (step.more) return { ...report, more: true };
    }
    return report;
  }

  /** Runs a call of the open store; `close` waits for it. */
  call<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    if (this.closed !== undefined) return Promise.reject(storeClosed("postgres"));
    const run = async (): Promise<T> => {
      const opened = await this.opening.open().catch((error: unknown) => {
        throw toStoreError(error);
      });
      this.keepRetention();
      return work(opened);
    };
    const result = run();
    const done = result.then(
      () => {},
      () => {},
    );
    this.underWay.add(done);
    void done.then(() => this.underWay.delete(done));
    return result;
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private async end(): Promise<void> {
    this.watching.stop();
    await Promise.all([this.retention?.stop(), ...this.underWay]);
    await this.opening.end();
  }

  private keepRetention(): void {
    if (this.closed !== undefined) return;
    const { retention, onProblem } = this.options;
    this.retention ??= keepRetention({
      prune: (request) => this.prune(request),
      retention,
      ...(onProblem !== undefined && { onProblem }),
    });
  }
}

type CallStore = <T>(work: (opened: Opened) => Promise<T>) => Promise<T>;

class PostgresScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  private readonly writer: ScopeWriter;
  private readonly schema: string;
  private readonly watching: Watching;
  private readonly call: CallStore;
  private readonly spans: SpanReader;

  constructor(scope: string, writer: ScopeWriter, schema: string, watching: Watching, call: CallStore) {
    this.scope = scope;
    this.writer = writer;
    this.schema = schema;
    this.watching = watching;
    this.call = call;
    this.spans = createSpanReader(schema);
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    // At once: whoever gave the records may go on to change them.
    const admitted = admit(checkRecords(spans), textProblem);
    const { result, changed } = await this.call(({ db, names }) => this.writer.write(db, names, admitted));
    this.watching.wake(this.scope, changed);
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
    const report = await this.commit(true, (scope) => pruneScope(scope, this.schema, request));
    return report ?? { executions: 0, spans: 0, more: false };
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    return redactStored(this, rule, selection);
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    const result = await this.commit(false, (scope) => recompute(scope, this.schema));
    if (result !== undefined) this.watching.wake(this.scope, result.corrected);
    return result ?? { executions: 0, corrected: [] };
  }

  async listExecutions(query: ListExecutionsQuery = {}): Promise<Page<ExecutionSummary>> {
    const read = checkList(query);
    return this.read((session, scopeNo, names) => listExecutions(session, this.schema, names, scopeNo, read));
  }

  async getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]> {
    const ids = checkExecutionIds(executionIds);
    return this.read((session, scopeNo) => getExecutions(session, this.schema, scopeNo, ids));
  }

  async getExecution(executionId: string): Promise<ExecutionDetail | undefined> {
    return this.readFound(executionId, (session, found) => readDetail(session, this.schema, found));
  }

  async getRunMetrics(executionId: string): Promise<RunMetrics | undefined> {
    return this.readFound(executionId, (session, found) => readRunMetrics(session, this.schema, found));
  }

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    return this.readFound(executionId, this.spans.page(executionId, query));
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    return this.readFound(executionId, (session, found) => this.spans.one(session, found, spanId, traceId));
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    return this.read(async (session, scopeNo) => {
      const found = await findExecution(session, this.schema, scopeNo, executionId);
      // An execution that vanished or was deleted still tells those who followed it what went away.
      const gone = found?.hidden === true && (since === 0 || since >= found.summary.seq);
      return found === undefined || gone ? undefined : this.spans.changes(session, found, since, limit);
    });
  }

  async searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
    return this.readFound(executionId, this.spans.search(executionId, query));
  }

  async getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts> {
    const answer = dailyCosts(query, Date.now());
    return this.read((session, scopeNo, names) => answer(session, this.schema, names, scopeNo));
  }

  async getAnalytics(query: AnalyticsQuery): Promise<Analytics> {
    const answer = analytics(query, Date.now());
    return this.read((session, scopeNo, names) => answer(session, this.schema, names, scopeNo));
  }

  watch(executionId: string, wake: () => void): () => void {
    return this.watching.add(this.scope, executionId, wake);
  }

  /** `undefined` where the scope is not there and is not to be made. */
  private async commit<T>(make: boolean, work: (scope: OpenScope) => Promise<T>): Promise<T | undefined> {
    const committed = await this.call(({ db, names }) => this.writer.commit(db, names, make, work));
    if (committed === undefined) return undefined;
    this.watching.wake(this.scope, committed.changed);
    return committed.result;
  }

  private read<T>(work: (session: Session, scopeNo: number | undefined, names: Names) => Promise<T>): Promise<T> {
    return this.call(({ db, names }) =>
      db.read(async (session) => work(session, await names.findScope(session, this.scope), names)),
    );
  }

  private readFound<T>(
    executionId: string,
    work: (session: Session, found: FoundExecution) => Promise<T>,
  ): Promise<T | undefined> {
    return this.read(async (session, scopeNo) => {
      const found = await findExecution(session, this.schema, scopeNo, executionId);
      return found === undefined || found.hidden ? undefined : work(session, found);
    });
  }
}
