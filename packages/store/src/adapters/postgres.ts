import { randomBytes } from "node:crypto";
import {
  type AnalyticsQuery,
  type DailyCostsQuery,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type PruneReport,
  type PruneRequest,
  type RedactRule,
  type RedactSelection,
  type ScopedStore,
  type SearchSpansQuery,
  SpanloomError,
  type SpanRecord,
  type StoreCapabilities,
  type TraceChanges,
  type TracePage,
  type TraceStore,
  type WriteReceipt,
} from "@spanloom/model";
import { checkExecutionIds, checkRecords, checkScope, checkWhole, storeClosed } from "../check-arguments.ts";
import { redactStored } from "../redact-stored.ts";
import { keepRetention, type Retention, type RetentionOptions } from "../retention.ts";
import { analytics } from "./postgres/analytics.ts";
import { dailyCosts } from "./postgres/daily-costs.ts";
import { type FoundExecution, findExecution } from "./postgres/find-execution.ts";
import { checkList, getExecutions, listExecutions } from "./postgres/list-executions.ts";
import { createOpening, type Opened, type PostgresStoreOptions } from "./postgres/opening.ts";
import { checkPrune } from "./postgres/prune.ts";
import { readDetail, readRunMetrics } from "./postgres/read-metrics.ts";
import { ScopeWriter } from "./postgres/scope-writer.ts";

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

/** What one call of a scope works with. */
interface Call extends Opened {
  schema: string;
}

class PostgresStore {
  readonly watchers: StoreWatchers;
  private readonly opening: Opening;
  private readonly retention: RetentionOptions | false | undefined;
  private readonly onProblem: ((problem: SpanloomError) => void) | undefined;
  private readonly origin: string = randomBytes(8).toString("hex");
  private readonly scopes = new Map<string, PostgresScope>();
  private readonly underWay = new Set<Promise<unknown>>();
  private keeping: Retention | undefined;
  private closed: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    this.opening = createOpening(options);
    this.retention = options.retention;
    this.onProblem = options.onProblem;
    this.watchers = createStoreWatchers(this.opening, this.origin, options.notify ?? true);
  }
}
