import {
  type Analytics,
  type AnalyticsQuery,
  type DailyCostsQuery,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type PruneReport,
  type PruneRequest,
  type RedactReport,
  type RedactRule,
  type RedactSelection,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type SpanSkeleton,
  type StoreCapabilities,
  type TraceChanges,
  type TracePage,
  type TraceStore,
  type WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkRecords, checkScope, checkWhole, storeClosed } from "../check-arguments.ts";
import { redactStored } from "../redact-stored.ts";
import { keepRetention, type RetentionOptions } from "../retention.ts";
import { createWatchers, type Watchers } from "../watchers.ts";
import type { ConnectionOptions } from "./sqlite/connection.ts";
import type { SqliteDriverName } from "./sqlite/driver.ts";
import { createLocalClient, type EngineClient } from "./sqlite/engine-client.ts";
import { getAnalytics, prune } from "./sqlite/long-calls.ts";
import { createWorkerClient } from "./sqlite/worker-client.ts";
import type { WriteOutcome } from "./sqlite/write-spans.ts";

export type { RetentionOptions } from "../retention.ts";
export { type SqliteMigration, sqliteMigrations } from "../sql/migrations.ts";

export interface SqliteStoreOptions {
  /** The database file; made where it is not there, its folder is not. `:memory:` forgets everything on close. */
  path: string;
  /**
   * What a write has survived when it resolves: a crash of the process (SQLite's `synchronous=NORMAL`, the default), or
   * also a loss of power (`FULL`; each write then waits for the disk).
   */
  durability?: "process-crash" | "power-loss";
  /** Whether SQLite runs in a worker thread, so that it never blocks this one. True where absent. */
  worker?: boolean;
  /** Where the worker's file is, for bundlers that move it: the address of `@spanloom/store/sqlite-worker`. */
  workerUrl?: string | URL;
  /** `node:sqlite` where Node.js has it, else `better-sqlite3`, which the host then installs. */
  driver?: SqliteDriverName;
  /**
   * How long executions and sums are kept: 90 and 800 days where absent. `false` keeps everything. What is older goes in
   * short steps, when the store was opened and then every hour.
   */
  retention?: RetentionOptions | false;
  /**
   * `run` (where absent) makes the tables of a new file and brings an older version's up to date. `refuse` leaves that
   * to the host, which runs `sqliteMigrations`: the store then only checks.
   */
  migrations?: "run" | "refuse";
  /** Gets what went wrong with retention. `console.warn` where absent. */
  onProblem?: (problem: SpanloomError) => void;
}

/**
 * Keeps traces in one SQLite file: the store for one machine, also for several processes on it. The file is opened by
 * the first call, or soon after by retention; a file that is no store of ours, damaged, or of a newer version is refused
 * and left as it is. Sums are kept exact, so that lists and charts read only what they show.
 *
 * Calls reject with `store_full`, `store_failed`, `schema_mismatch`, `missing_dependency` or `store_closed`; then
 * nothing of a write is stored. Throws `invalid_argument` for options that cannot be used.
 */
export function createSqliteStore(options: SqliteStoreOptions): TraceStore {
  const connection = checkOptions(options);
  const client =
    options.worker === false
      ? createLocalClient(connection)
      : createWorkerClient(connection, options.workerUrl);
  const capabilities: StoreCapabilities = {
    durability: connection.path === ":memory:" ? "memory" : connection.durability,
    concurrentWriters: true,
    crossProcessReads: true,
    erasure: "immediate",
    provenSpansPerExecution: 100_000,
  };
  const state: State = { closed: undefined };
  const scopes = new Map<string, SqliteScope>();
  // Also between the steps of a long call: nothing may open the file again.
  const call: EngineClient["call"] = async (method, ...args) => {
    if (state.closed !== undefined) throw storeClosed("sqlite");
    return client.call(method, ...args);
  };
  const pruneAll = async (request: PruneRequest): Promise<PruneReport> => {
    const names = await call("scopes");
    return prune(call, names, request, (scope, gone) => scopes.get(scope)?.wake(gone));
  };
  const { retention, onProblem } = options;
  const keeping = keepRetention({ prune: pruneAll, retention, ...(onProblem && { onProblem }) });
  return {
    name: "sqlite",
    capabilities,
    forScope(scope) {
      if (state.closed !== undefined) throw storeClosed("sqlite");
      const name = checkScope(scope);
      let scoped = scopes.get(name);
      if (scoped === undefined) {
        scoped = new SqliteScope(name, capabilities, call, state);
        scopes.set(name, scoped);
      }
      return scoped;
    },
    prune: pruneAll,
    close() {
      state.closed ??= keeping.stop().then(() => client.close());
      return state.closed;
    },
  };
}

interface State {
  /** Set once the store is closing. */
  closed: Promise<void> | undefined;
}

class SqliteScope implements ScopedStore {
  readonly scope: string;
  readonly capabilities: StoreCapabilities;
  private readonly call: EngineClient["call"];
  private readonly state: State;
  private readonly watchers: Watchers = createWatchers();

  constructor(scope: string, capabilities: StoreCapabilities, call: EngineClient["call"], state: State) {
    this.scope = scope;
    this.capabilities = capabilities;
    this.call = call;
    this.state = state;
  }

  async write(spans: readonly SpanRecord[]): Promise<WriteReceipt> {
    const call = this.open();
    const records = checkRecords(spans);
    if (records.length === 0) return { written: 0, unchanged: 0, rejected: [] };
    const { receipt, changed } = await this.send(call, records);
    this.watchers.wake(changed);
    return receipt;
  }

  async deleteExecution(executionId: string): Promise<boolean> {
    const changed = await this.open()("deleteExecution", this.scope, executionId);
    this.watchers.wake(changed);
    return changed.length > 0;
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    return prune(this.open(), [this.scope], request, (_, gone) => this.wake(gone));
  }

  async redact(rule: RedactRule, selection?: RedactSelection): Promise<RedactReport> {
    const call = this.open();
    const report = await redactStored(this, rule, selection);
    // What was replaced is zeros in the file; in the log it still stands.
    if (report.spans > 0) await call("emptyLog");
    return report;
  }

  /** Tells those who watch that these executions changed. */
  wake(executionIds: readonly string[]): void {
    this.watchers.wake(executionIds);
  }

  async recompute(): Promise<{ executions: number; corrected: string[] }> {
    const result = await this.open()("recompute", this.scope);
    this.watchers.wake(result.corrected);
    return result;
  }

  listExecutions: ScopedStore["listExecutions"] = async (query: ListExecutionsQuery = {}) =>
    this.open()("listExecutions", this.scope, query);

  getExecutions: ScopedStore["getExecutions"] = async (executionIds) =>
    this.open()("getExecutions", this.scope, checkExecutionIds(executionIds));

  getExecution: ScopedStore["getExecution"] = async (executionId) =>
    this.open()("getExecution", this.scope, executionId);

  getRunMetrics: ScopedStore["getRunMetrics"] = async (executionId) =>
    this.open()("getRunMetrics", this.scope, executionId);

  getDailyCosts: ScopedStore["getDailyCosts"] = async (query: DailyCostsQuery) =>
    this.open()("getDailyCosts", this.scope, query);

  async getAnalytics(query: AnalyticsQuery): Promise<Analytics> {
    return getAnalytics(this.open(), this.scope, query);
  }

  searchSpans: ScopedStore["searchSpans"] = async (executionId, query) =>
    this.open()("searchSpans", this.scope, executionId, query);

  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  async getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    const page = await this.open()("getTrace", this.scope, executionId, query);
    return page && { ...page, spans: page.spans.map(parseSpan) };
  }

  async getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined> {
    const text = await this.open()("getSpan", this.scope, executionId, spanId, traceId);
    return text === undefined ? undefined : (JSON.parse(text) as SpanRecord);
  }

  async changesSince(
    executionId: string,
    seq: number,
    options: { limit?: number } = {},
  ): Promise<TraceChanges | undefined> {
    const call = this.open();
    const since = checkWhole(seq, "seq", { fallback: 0 });
    const limit = checkWhole(options.limit, "limit", { least: 1, most: 10_000, fallback: 500 });
    const changes = await call("changesSince", this.scope, executionId, since, limit);
    return changes && { ...changes, spans: changes.spans.map(parseSpan) };
  }

  watch(executionId: string, wake: () => void): () => void {
    this.open();
    return this.watchers.add(executionId, wake);
  }

  private open(): EngineClient["call"] {
    if (this.state.closed !== undefined) throw storeClosed("sqlite");
    return this.call;
  }

  /** Sends the records; what cannot even be copied to another thread is handed over as nothing, to be rejected there. */
  private async send(call: EngineClient["call"], records: readonly unknown[]): Promise<WriteOutcome> {
    try {
      return await call("write", this.scope, records);
    } catch (error) {
      if (!isCloneError(error)) throw error;
      return call(
        "write",
        this.scope,
        records.map((record) => (canClone(record) ? record : undefined)),
      );
    }
  }
}

function parseSpan(text: string): SpanSkeleton {
  return JSON.parse(text) as SpanSkeleton;
}

function isCloneError(error: unknown): boolean {
  return error instanceof DOMException && error.name === "DataCloneError";
}

function canClone(record: unknown): boolean {
  try {
    structuredClone(record);
    return true;
  } catch {
    return false;
  }
}

function checkOptions({
  path,
  durability = "process-crash",
  driver,
  migrations = "run",
}: SqliteStoreOptions): ConnectionOptions {
  if (typeof path !== "string" || path === "") {
    throw invalidOption("path", "It must be the path of a file.");
  }
  if (durability !== "process-crash" && durability !== "power-loss") {
    throw invalidOption("durability", 'It must be "process-crash" or "power-loss".');
  }
  if (driver !== undefined && driver !== "node:sqlite" && driver !== "better-sqlite3") {
    throw invalidOption("driver", 'It must be "node:sqlite" or "better-sqlite3".');
  }
  if (migrations !== "run" && migrations !== "refuse") {
    throw invalidOption("migrations", 'It must be "run" or "refuse".');
  }
  return { path, durability, migrations, ...(driver !== undefined && { driver }) };
}

function invalidOption(name: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The option ${name} of createSqliteStore cannot be used.`,
    why,
    fix: "Correct it, or leave optional ones out.",
  });
}
