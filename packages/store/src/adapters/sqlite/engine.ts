import type {
  DailyCosts,
  DailyCostsQuery,
  ExecutionDetail,
  ExecutionSummary,
  GetTraceQuery,
  ListExecutionsQuery,
  Page,
  RunMetrics,
} from "@spanloom/model";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import { readDailyCosts } from "./daily-costs.ts";
import { deleteExecution } from "./delete-execution.ts";
import { getExecutions, listExecutions } from "./list-executions.ts";
import { createNames } from "./names.ts";
import { readDetail, readRunMetrics } from "./read-metrics.ts";
import { createSpanReader, type TraceChangesText, type TracePageText } from "./read-spans.ts";
import { recompute } from "./recompute.ts";
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
  /** Gives the executions that changed; none when there was nothing to delete. */
  deleteExecution(scope: string, executionId: string): string[];
  recompute(scope: string): { executions: number; corrected: string[] };
  close(): void;
}

/** Opens the file. Throws errors of the family; so does every call. */
export function openEngine(options: ConnectionOptions): Engine {
  return createEngine(openConnection(options));
}

export function createEngine(db: Connection): Engine {
  const names = createNames(db);
  const reader = createSpanReader(db, names);
  const write = <T>(work: () => T): T => {
    try {
      const result = db.write(work);
      names.settle(true);
      return result;
    } catch (error) {
      names.settle(false);
      throw error;
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
    close: () => db.close(),
  };
}
