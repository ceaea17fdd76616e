import { segmentStatus } from "@spanloom/metrics";
import {
  bearsOf,
  EXECUTION_STATUSES,
  hasTokens,
  parentOf,
  phaseOf,
  type SpanRecord,
  type SpanSkeleton,
  type UnixNanos,
} from "@spanloom/model";

/** What the columns of a span row say about its record: a pure function of it. */
export interface SpanFacts {
  parentId: string | null;
  phase: number;
  revision: number;
  startMs: number;
  startNs: number;
  endMs: number | null;
  endNs: number | null;
  isError: number;
  /** 0 where the tracer marked a segment's root, 1 a workflow span, 2 any other span without a parent, else `null`. */
  rootRank: number | null;
  /** On such a span, what it says about its segment: an index of EXECUTION_STATUSES. */
  rootStatus: number | null;
  /** 1 where the span may add something to sums: it knows tokens or a cost. */
  counts: number;
  hasCache: number;
  bears: number;
}

export function factsOf(record: SpanRecord): SpanFacts {
  const { startTime, endTime, usage, cost } = record;
  const parentId = parentOf(record) ?? null;
  const [startMs, startNs] = splitTime(startTime);
  const [endMs, endNs] = endTime === undefined ? [null, null] : splitTime(endTime);
  const rootRank = rootRankOf(record, parentId);
  const counts = cost !== undefined || hasTokens(usage);
  return {
    parentId,
    phase: phaseOf(record),
    revision: record.revision,
    startMs,
    startNs,
    endMs,
    endNs,
    isError: record.status.code === "error" ? 1 : 0,
    rootRank,
    rootStatus: rootRank === null ? null : EXECUTION_STATUSES.indexOf(segmentStatus(record)),
    counts: counts ? 1 : 0,
    hasCache: record.cache !== undefined && record.cache.length > 0 ? 1 : 0,
    bears: counts ? bearsOf(record) : 0,
  };
}

/** The record as two JSON texts, without `executionId`: the row's execution says it, also when the span moves. */
export function encodeRecord(record: SpanRecord): { skeleton: string; rest: string } {
  const skeleton: StoredSkeleton = {
    traceId: record.traceId,
    spanId: record.spanId,
    parentSpanId: record.parentSpanId,
    name: record.name,
    kind: record.kind,
    nodeId: record.nodeId,
    nodeType: record.nodeType,
    attempt: record.attempt,
    agent: record.agent,
    startTime: record.startTime,
    endTime: record.endTime,
    syntheticEnd: record.syntheticEnd,
    firstTokenTime: record.firstTokenTime,
    status: record.status,
    usage: record.usage,
    cost: record.cost,
    model: record.model,
    provider: record.provider,
    artifacts: record.artifacts,
    revision: record.revision,
  };
  // Key by key: a rest pattern takes twice as long.
  const rest: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    if (SKELETON_KEYS.has(key)) continue;
    const value = record[key as keyof SpanRecord];
    if (key === "__proto__") Object.defineProperty(rest, key, { ...PLAIN, value });
    else rest[key] = value;
  }
  return { skeleton: JSON.stringify(skeleton), rest: JSON.stringify(rest) };
}

const PLAIN = { configurable: true, enumerable: true, writable: true };
const SKELETON_KEYS: ReadonlySet<string> = new Set<keyof SpanSkeleton>([
  ...(["traceId", "spanId", "parentSpanId", "executionId", "name", "kind", "nodeId", "nodeType"] as const),
  ...(["attempt", "agent", "startTime", "endTime", "syntheticEnd", "firstTokenTime", "status"] as const),
  ...(["usage", "cost", "model", "provider", "artifacts", "revision"] as const),
]);

/** JSON text of a skeleton. `executionJson` is the execution's id as JSON. Both texts hold at least one member. */
export function skeletonJson(executionJson: string, skeleton: string): string {
  return `{"executionId":${executionJson},${skeleton.slice(1)}`;
}

/** JSON text of a whole record. */
export function recordJson(executionJson: string, skeleton: string, rest: string): string {
  return `{"executionId":${executionJson},${skeleton.slice(1, -1)},${rest.slice(1)}`;
}

/** What a stored skeleton says; all but its `executionId`. */
export type StoredSkeleton = Omit<SpanSkeleton, "executionId">;

export function parseSkeleton(skeleton: string): StoredSkeleton {
  return JSON.parse(skeleton) as StoredSkeleton;
}

/** A point in time as rows hold it: two safe integers, whatever the time. */
export type Instant = readonly [ms: number, ns: number];

/** Whole milliseconds, and the nanoseconds beyond. Takes leading zeros. */
export function splitTime(time: UnixNanos): Instant {
  return [time.length > 6 ? Number(time.slice(0, -6)) : 0, Number(time.slice(-6))];
}

export function joinTime([ms, ns]: Instant): UnixNanos {
  return ms === 0 ? String(ns) : `${ms}${String(ns).padStart(6, "0")}`;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a valid record cannot be kept exactly: SQLite's text is UTF-8. `undefined` when it can. */
export function textProblem({ executionId, workflowId, threadId, nodeId }: SpanRecord): string | undefined {
  if (isBroken(executionId)) return "executionId: is not well-formed text";
  if (isBroken(workflowId)) return "workflowId: is not well-formed text";
  if (isBroken(threadId)) return "threadId: is not well-formed text";
  if (isBroken(nodeId)) return "nodeId: is not well-formed text";
  return undefined;
}

function isBroken(id: string | undefined): boolean {
  return id !== undefined && LONE_SURROGATE.test(id);
}

function rootRankOf(record: SpanRecord, parentId: string | null): number | null {
  if (record.executionStatus !== undefined) return 0;
  if (record.kind === "workflow") return 1;
  return parentId === null ? 2 : null;
}
