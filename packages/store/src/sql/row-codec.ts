import { segmentStatus } from "@spanloom/metrics";
import {
  bearsOf,
  EXECUTION_STATUSES,
  hasTokens,
  microsOf,
  nanosRest,
  parentOf,
  phaseOf,
  type SpanRecord,
  type SpanSkeleton,
  TOKEN_FIELDS,
} from "@spanloom/model";

/** What the columns of a span row say about its record: a pure function of it. */
export interface SpanFacts {
  parentId: string | null;
  phase: number;
  revision: number;
  startUs: number;
  startNs: number;
  endUs: number | null;
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
  const rootRank = rootRankOf(record, parentId);
  const counts = cost !== undefined || hasTokens(usage);
  return {
    parentId,
    phase: phaseOf(record),
    revision: record.revision,
    startUs: microsOf(startTime),
    startNs: nanosRest(startTime),
    endUs: endTime === undefined ? null : microsOf(endTime),
    endNs: endTime === undefined ? null : nanosRest(endTime),
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
  const { traceId, spanId, parentSpanId, executionId, name, kind, nodeId, nodeType, attempt, agent, ...more } = record;
  const { startTime, endTime, syntheticEnd, firstTokenTime, status, usage, cost, ...others } = more;
  const { model, provider, artifacts, revision, ...rest } = others;
  const skeleton = {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    nodeId,
    nodeType,
    attempt,
    agent,
    startTime,
    endTime,
    syntheticEnd,
    firstTokenTime,
    status,
    usage,
    cost,
    model,
    provider,
    artifacts,
    revision,
  };
  return { skeleton: JSON.stringify(skeleton), rest: JSON.stringify(rest) };
}

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

/** Most tokens that one span can say, and most nano-USD (a million dollars): above, sums would leave the exact integers. */
const MOST_TOKENS = 1e12;
const MOST_NANO_USD = 1e15;
/** The year 2255: microseconds after it are no exact integers. */
const LATEST = "9000000000000000000";

/** Why a valid record is beyond what this store can count exactly; `undefined` when it is not. */
export function limitProblem({ usage, cost, startTime, endTime }: SpanRecord): string | undefined {
  if (usage !== undefined && TOKEN_FIELDS.some((field) => (usage[field] ?? 0) > MOST_TOKENS)) {
    return `usage: more than ${MOST_TOKENS} tokens in one span`;
  }
  if (cost !== undefined && cost.nanoUsd > MOST_NANO_USD) return `cost: more than ${MOST_NANO_USD} nano-USD in one span`;
  if (isTooLate(startTime) || (endTime !== undefined && isTooLate(endTime))) return "time: after the year 2255";
  return undefined;
}

function isTooLate(time: string): boolean {
  return time.length === LATEST.length && time >= LATEST;
}

function rootRankOf(record: SpanRecord, parentId: string | null): number | null {
  if (record.executionStatus !== undefined) return 0;
  if (record.kind === "workflow") return 1;
  return parentId === null ? 2 : null;
}
