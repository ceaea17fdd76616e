import type { ExecutionStatus, ExecutionSummary } from "@spanloom/model";
import { joinTime } from "../../sql/row-codec.ts";
import { costSumOf, SUMS_READ, type Sums, usageSumOf } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import { segmentsOf } from "./frames.ts";

/** An execution's row, and its number for further questions. */
export interface FoundExecution {
  no: number;
  /** Without spans: it only tells those who followed it what went away. */
  hidden: boolean;
  summary: ExecutionSummary;
}

/** Columns of `execution` for {@link toFound}. */
export const SUMMARY_COLUMNS: string = `exec_no, hidden, execution_id, seq, n_spans, n_open, n_errors, n_nodes,
  (SELECT value FROM dim WHERE dim_no = workflow_no), workflow_name, thread_id, status, root_span,
  start_ms, start_ns, end_ms, end_ns, duration_ms, service, service_version, environment, ${SUMS_READ}`;

const ONE = `SELECT ${SUMMARY_COLUMNS} FROM execution WHERE scope_no = ? AND execution_id = ?`;

/** The execution; also a hidden one. `undefined` where the scope never had it. */
export function findExecution(
  db: Connection,
  scopeNo: number | undefined,
  executionId: string,
): FoundExecution | undefined {
  if (scopeNo === undefined) return undefined;
  const found = db.statement(ONE).get(scopeNo, executionId);
  return found === undefined ? undefined : toFound(db, found);
}

type Columns = [
  ...[no: number, hidden: number, executionId: string, seq: number],
  ...[spanCount: number, openSpanCount: number, errorCount: number, nodeCount: number],
  ...[workflowId: string | null, workflowName: string | null, threadId: string | null],
  ...[status: ExecutionStatus, rootSpanId: string | null],
  ...[startMs: number, startNs: number, endMs: number | null, endNs: number, durationMs: number | null],
  ...[service: string | null, serviceVersion: string | null, environment: string | null],
  ...sums: Sums,
];

export function toFound(db: Connection, found: unknown): FoundExecution {
  const [no, hidden, executionId, seq, spanCount, openSpanCount, errorCount, nodeCount, ...frame] =
    found as Columns;
  const [workflowId, workflowName, threadId, status, rootSpanId, startMs, startNs, endMs, endNs, ...more] =
    frame;
  const [durationMs, service, serviceVersion, environment, ...sums] = more;
  return {
    no,
    hidden: hidden === 1,
    summary: {
      executionId,
      ...(workflowId !== null && { workflowId }),
      ...(workflowName !== null && { workflowName }),
      ...(threadId !== null && { threadId }),
      status,
      ...(rootSpanId !== null && { rootSpanId }),
      traceIds: traceIdsOf(db, no),
      startTime: joinTime([startMs, startNs]),
      ...(endMs !== null && { endTime: joinTime([endMs, endNs]) }),
      ...(durationMs !== null && { durationMs }),
      spanCount,
      openSpanCount,
      errorCount,
      nodeCount,
      usage: usageSumOf(sums),
      cost: costSumOf(sums),
      ...(environment !== null && { environment }),
      ...(service !== null && { service }),
      ...(serviceVersion !== null && { serviceVersion }),
      seq,
    },
  };
}

/** Traces of the segments in their order, then the others by id. */
function traceIdsOf(db: Connection, execNo: number): string[] {
  const all = db
    .statement(
      "SELECT t.trace_id FROM exec_trace e JOIN trace t ON t.trace_no = e.trace_no WHERE e.exec_no = ? ORDER BY t.trace_id",
    )
    .all(execNo) as [string][];
  const ids = all.map(([id]) => id);
  if (ids.length < 2) return ids;
  return [...new Set([...segmentsOf(db, execNo).map((segment) => segment.traceId), ...ids])];
}
