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
  RunMetrics,
  SearchSpansQuery,
  SpanMatches,
  UnixNanos,
} from "@spanloom/model";
import { readAnalytics } from "./analytics.ts";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import { readDailyCosts } from "./daily-costs.ts";
import { deleteExecution } from "./delete-execution.ts";
import { dropSums } from "./drop-sums.ts";
import { createStatsFolds } from "./fold-stats.ts";
import { getExecutions, listExecutions } from "./list-executions.ts";
import { createNames } from "./names.ts";
import { type PruneQuery, type PruneStep, pruneStep } from "./prune.ts";
import { readDetail, readRunMetrics } from "./read-metrics.ts";
import { createSpanReader, type TraceChangesText, type TracePageText } from "./read-spans.ts";
import { recompute } from "./recompute.ts";
import { isSettled, settleStats, unsettledScope } from "./settle-stats.ts";
import { sweep } from "./sweep.ts";
import { type WriteOutcome, writeSpans } from "./write-spans.ts";

/** The store's calls on one thread, all synchronous. What they take and give can cross to another thread. */
export interface Engine {
  write(scope: string, records: readonly unknown[]): WriteOutcome;
  listExecutions(scope: string, query: ListExecutionsQuery): Page<ExecutionSummary>;
  getExecutions(scope: string, executionIds: readonly string[]): ExecutionSummary[];
  getExecution(scope: string, executionId: string): ExecutionDetail | undefined;
  getTrace(scope: string, executionId: string, query: GetTraceQuery): TracePageText | undefined;
  getSpan(
    scope: string,
    executionId: string,
    spanId: string,
    traceId: string | undefined,
  ): string | undefined;
  changesSince(scope: string, executionId: string, seq: number, limit: number): TraceChangesText | undefined;
  getRunMetrics(scope: string, executionId: string): RunMetrics | undefined;
  getDailyCosts(scope: string, query: DailyCostsQuery): DailyCosts;
  /** `undefined` when there was more to add up than fits one step: to be called again. */
  getAnalytics(scope: string, query: AnalyticsQuery): Analytics | undefined;
  searchSpans(scope: string, executionId: string, query: SearchSpansQuery): SpanMatches | undefined;
  /** Gives the executions that changed; none when there was nothing to delete. */
  deleteExecution(scope: string, executionId: string): string[];
  recompute(scope: string): { executions: number; corrected: string[] };
  /** Every scope that was ever written in. */
  scopes(): string[];
  /** One step. What it removed of large executions waits for `sweep`. */
  prune(scope: string, query: PruneQuery): PruneStep;
  /** One step. True when there is more. */
  dropSums(scope: string, sumsBefore: UnixNanos): boolean;
  /** One step. True when there is more. */
  sweep(): boolean;
  /** Lets the log go into the file, so that what was removed or replaced can be read nowhere. */
  emptyLog(): void;
  /** Adds up what analytics will ask for, one step. True when there is more. */
  settle(): boolean;
  close(): void;
}

/** How long one step of what can wait may take: others wait for it. */
const STEP_MS = 20;

/** Opens the file. Throws errors of the family; so does every call. */
export function openEngine(options: ConnectionOptions): Engine {
  return createEngine(openConnection(options));
}

export function createEngine(db: Connection): Engine {
  const names = createNames(db);
  const reader = createSpanReader(db, names);
  const folds = createStatsFolds(db);
  const write = <T>(work: () => T, transaction = db.write): T => {
    try {
      const result = transaction(work);
      names.settle(true);
      return result;
    } catch (error) {
      names.settle(false);
      throw error;
    }
  };
  const deadline = (): number => performance.now() + STEP_MS;
  const getAnalytics: Engine["getAnalytics"] = (scope, query) => {
    const nowMs = Date.now();
    const answer = (unsettled = false): Analytics =>
      readAnalytics(db, names, names.findScope(scope), query, nowMs, unsettled);
    const settled = db.read(() => {
      const scopeNo = names.findScope(scope);
      return scopeNo === undefined || isSettled(db, scopeNo) ? answer() : undefined;
    });
    if (settled !== undefined) return settled;
    try {
      return write(() => {
        const more = settleStats(db, names, names.scope(scope), folds, STEP_MS);
        return more ? undefined : answer();
      }, db.writeSoon);
    } catch {
      // A full disk, or another process that writes: what cannot be kept is worked out for this answer alone.
      return db.read(() => answer(true));
    }
  };
  return {
    write: (scope, records) => write(() => writeSpans(db, names, scope, records)),
    listExecutions: (scope, query) => db.read(() => listExecutions(db, names, scope, query)),
    getExecutions: (scope, ids) => db.read(() => getExecutions(db, names, scope, ids)),
    getExecution: (scope, id) => db.read(() => readDetail(db, names.findScope(scope), id)),
    getTrace: (scope, id, query) => db.read(() => reader.page(scope, id, query)),
    getSpan: (scope, id, spanId, traceId) => db.read(() => reader.one(scope, id, spanId, traceId)),
    changesSince: (scope, id, seq, limit) => db.read(() => reader.changes(scope, id, seq, limit)),
    getRunMetrics: (scope, id) => db.read(() => readRunMetrics(db, names.findScope(scope), id)),
    getDailyCosts: (scope, query) => db.read(() => readDailyCosts(db, names, scope, query, Date.now())),
    deleteExecution: (scope, id) => {
      const changed = write(() => deleteExecution(db, names, scope, id));
      if (changed.length > 0) db.emptyLog();
      return changed;
    },
    recompute: (scope) => write(() => recompute(db, names, scope)),
    getAnalytics,
    searchSpans: (scope, id, query) => db.read(() => reader.search(scope, id, query)),
    scopes: () => db.read(() => names.scopes()),
    prune: (scope, query) => write(() => pruneStep(db, names, scope, query, folds, deadline())),
    dropSums: (scope, sumsBefore) => write(() => dropSums(db, names, scope, sumsBefore, deadline())),
    sweep: () => write(() => sweep(db, deadline())),
    emptyLog: () => db.emptyLog(),
    settle: () => {
      if (db.read(() => unsettledScope(db)) === undefined) return false;
      return write(() => {
        const scopeNo = unsettledScope(db);
        if (scopeNo === undefined) return false;
        return settleStats(db, names, scopeNo, folds, STEP_MS) || unsettledScope(db) !== undefined;
      }, db.writeIfFree);
    },
    close: () => db.close(),
  };
}
