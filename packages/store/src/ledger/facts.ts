import type { SummedSpan } from "@spanloom/metrics";
import { hasTokens, parentOf, RESOURCE, type SpanRecord, type SpanSkeleton } from "@spanloom/model";

/**
 * What the ledger holds of a span: what merging, naming, counting and order need. Content, attributes and events stay with
 * the backing. Plain JSON, as a backing may keep it, and a pure function of the record: see {@link factsOf}.
 */
export interface SpanFacts extends SummedSpan {
  /** As written: an unnamed span carries its trace's id here, wherever it belongs. */
  executionId: string;
  /** Only where the span has a `nodeId`, else empty. */
  name: string;
  /** Only the keys that executions show, and only where the span may be a segment's root. */
  resource: SummedSpan["resource"];
  model?: string;
  provider?: string;
  revision: number;
}

/** What of a record facts are made of. */
export type FactSource = SpanSkeleton &
  Pick<SpanRecord, "executionStatus" | "cache" | "workflowId" | "workflowName" | "threadId" | "resource">;

/** What the ledger needs to know of a record, as written. */
export function factsOf(record: FactSource): SpanFacts {
  const { parentSpanId, kind, nodeId, executionStatus, usage, cost, cache } = record;
  const isRoot = executionStatus !== undefined || kind === "workflow" || parentOf(record) === undefined;
  const counts = cost !== undefined || hasTokens(usage);
  const calls = kind === "llm" || kind === "embedding";
  return {
    traceId: record.traceId,
    spanId: record.spanId,
    parentSpanId,
    executionId: record.executionId,
    name: nodeId === undefined ? "" : record.name,
    kind,
    nodeId,
    nodeType: record.nodeType,
    attempt: record.attempt,
    startTime: record.startTime,
    endTime: record.endTime,
    syntheticEnd: record.syntheticEnd,
    status: STATUS[record.status.code],
    executionStatus,
    usage: counts ? usage : undefined,
    cost,
    cache: cache === undefined || cache.length === 0 ? undefined : cache,
    workflowId: isRoot ? record.workflowId : undefined,
    workflowName: isRoot ? record.workflowName : undefined,
    threadId: isRoot ? record.threadId : undefined,
    resource: isRoot ? resourceOf(record) : NO_RESOURCE,
    model: counts || calls ? record.model : undefined,
    provider: counts || calls ? record.provider : undefined,
    revision: record.revision,
  };
}

const STATUS = { unset: { code: "unset" }, ok: { code: "ok" }, error: { code: "error" } } as const;
const NO_RESOURCE: SummedSpan["resource"] = { attributes: {} };
const SHOWN = [RESOURCE.environment, RESOURCE.environmentOld, RESOURCE.serviceName, RESOURCE.serviceVersion];

function resourceOf({ resource: { attributes } }: FactSource): SummedSpan["resource"] {
  const shown = SHOWN.filter((key) => typeof attributes[key] === "string");
  if (shown.length === 0) return NO_RESOURCE;
  return { attributes: Object.fromEntries(shown.map((key) => [key, attributes[key] ?? ""])) };
}
