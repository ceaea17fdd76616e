import {
  EXECUTION_STATUSES,
  type ExecutionStatus,
  millisBetween,
  RESOURCE,
  type SpanRecord,
} from "@spanloom/model";
import { type Instant, joinTime } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import type { ExecutionRow } from "./executions.ts";

/** What the first and the latest segment say about an execution. */
export interface Frame {
  workflowId: string | undefined;
  workflowName: string | undefined;
  threadId: string | undefined;
  status: ExecutionStatus;
  rootSpanId: string | undefined;
  start: Instant;
  end: Instant | undefined;
  durationMs: number | undefined;
  service: string | undefined;
  serviceVersion: string | undefined;
  environment: string | undefined;
}

/** A segment's root, as its row stands. */
export interface SegmentRow {
  traceNo: number;
  traceId: string;
  spanId: string;
  status: ExecutionStatus;
  start: Instant;
  end: Instant | undefined;
}

/** What of a root's record its execution takes over. */
export type RootRecord = Pick<SpanRecord, "workflowId" | "workflowName" | "threadId" | "resource">;

/**
 * The frame of an execution, by the rules of `summarizeExecution`.
 *
 * @param given A root's record where the caller holds it; else it is read.
 */
export function frameOf(
  db: Connection,
  execution: ExecutionRow,
  given: (traceNo: number, spanId: string) => RootRecord | undefined,
): Frame {
  const ends = endSegments(db, execution.no);
  if (ends === undefined) return orphanFrame(execution);
  const { first, latest } = ends;
  const record = given(first.traceNo, first.spanId) ?? readRoot(db, first);
  const { attributes } = record.resource;
  return {
    workflowId: record.workflowId,
    workflowName: record.workflowName,
    threadId: record.threadId,
    status: latest.status,
    rootSpanId: first.spanId,
    start: first.start,
    end: latest.end,
    durationMs: durationOf(first.start, latest.end),
    service: text(attributes[RESOURCE.serviceName]),
    serviceVersion: text(attributes[RESOURCE.serviceVersion]),
    environment: text(attributes[RESOURCE.environment]) ?? text(attributes[RESOURCE.environmentOld]),
  };
}

const COLUMNS = `s.trace_no, t.trace_id, s.span_id, s.root_rank, s.root_status,
  s.start_ms, s.start_ns, s.end_ms, s.end_ns FROM span s JOIN trace t ON t.trace_no = s.trace_no
  WHERE s.exec_no = ? AND s.root_rank IS NOT NULL`;
const FIRST = `SELECT ${COLUMNS} ORDER BY s.root_rank, s.start_ms, s.start_ns, s.span_id, t.trace_id LIMIT 1`;
const LATEST = `SELECT ${COLUMNS} AND s.root_rank = 0
  ORDER BY s.start_ms DESC, s.start_ns DESC, s.span_id DESC, t.trace_id DESC LIMIT 1`;
const ALL = `SELECT ${COLUMNS} ORDER BY s.root_rank, s.start_ms, s.start_ns, s.span_id, t.trace_id`;

/** All segments of an execution, in their order. */
export function segmentsOf(db: Connection, execNo: number): SegmentRow[] {
  const found = db.statement(ALL).all(execNo) as Columns[];
  const [best] = found;
  if (best === undefined) return [];
  // Roots that a tracer marked come first, and are then the only ones.
  if (best[3] === 0) return found.filter((row) => row[3] === 0).map(toSegment);
  const least = new Map<number, Columns>();
  for (const row of found) if (!least.has(row[0])) least.set(row[0], row);
  return [...least.values()].map(toSegment).sort(compareSegments);
}

/** The first and the latest segment, without reading the others where an index knows them. */
function endSegments(db: Connection, execNo: number): { first: SegmentRow; latest: SegmentRow } | undefined {
  const best = db.statement(FIRST).get(execNo) as Columns | undefined;
  if (best === undefined) return undefined;
  const first = toSegment(best);
  if (best[3] === 0) return { first, latest: toSegment(db.statement(LATEST).get(execNo) as Columns) };
  const traces = db.statement("SELECT trace_no FROM exec_trace WHERE exec_no = ? LIMIT 2").all(execNo);
  if (traces.length === 1) return { first, latest: first };
  const segments = segmentsOf(db, execNo);
  return { first: segments[0] ?? first, latest: segments.at(-1) ?? first };
}

type Columns = [
  ...[traceNo: number, traceId: string, spanId: string, rank: number, status: number],
  ...[startMs: number, startNs: number, endMs: number | null, endNs: number],
];

function toSegment([
  traceNo,
  traceId,
  spanId,
  ,
  status,
  startMs,
  startNs,
  endMs,
  endNs,
]: Columns): SegmentRow {
  return {
    traceNo,
    traceId,
    spanId,
    status: EXECUTION_STATUSES[status] ?? "running",
    start: [startMs, startNs],
    end: endMs === null ? undefined : [endMs, endNs],
  };
}

function compareSegments(a: SegmentRow, b: SegmentRow): number {
  return (
    a.start[0] - b.start[0] ||
    a.start[1] - b.start[1] ||
    compareText(a.spanId, b.spanId) ||
    compareText(a.traceId, b.traceId)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readRoot(db: Connection, { traceNo, spanId }: SegmentRow): RootRecord {
  const [rest] = db
    .statement("SELECT rest FROM span WHERE trace_no = ? AND span_id = ?")
    .get(traceNo, spanId) as [string];
  return JSON.parse(rest) as RootRecord;
}

/** Only orphans so far, or no span at all: their extremes stand in for a root. */
function orphanFrame({ first, last, open, errors }: ExecutionRow): Frame {
  const end = open > 0 ? undefined : last;
  return {
    ...{ workflowId: undefined, workflowName: undefined, threadId: undefined, rootSpanId: undefined },
    ...{ service: undefined, serviceVersion: undefined, environment: undefined },
    status: open > 0 ? "running" : errors > 0 ? "failed" : "completed",
    start: first ?? [0, 0],
    end,
    durationMs: first === undefined ? undefined : durationOf(first, end),
  };
}

function durationOf(start: Instant, end: Instant | undefined): number | undefined {
  return end === undefined ? undefined : millisBetween(joinTime(start), joinTime(end));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
