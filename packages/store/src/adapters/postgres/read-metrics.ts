import { computeRunMetrics, summarizeExecution } from "@spanloom/metrics";
import {
  bearsBelow,
  type ExecutionDetail,
  type RunMetrics,
  SCHEMA_VERSION,
  type SpanRecord,
} from "@spanloom/model";
import { parseSkeleton } from "../../sql/row-codec.ts";
import type { Session } from "./database.ts";
import type { FoundExecution } from "./find-execution.ts";

/** The reference's own answer, from skeletons. */
export async function readDetail(
  session: Session,
  schema: string,
  found: FoundExecution,
): Promise<ExecutionDetail> {
  const { executionId, seq } = found.summary;
  const { spans, below } = await readCounted(session, schema, found);
  return summarizeExecution(executionId, spans, seq, below);
}

export async function readRunMetrics(
  session: Session,
  schema: string,
  found: FoundExecution,
): Promise<RunMetrics> {
  const { executionId, seq } = found.summary;
  const { spans, below } = await readCounted(session, schema, found);
  return computeRunMetrics(executionId, spans, seq, below);
}

/** What of a root or of a cache access is no part of its skeleton, and still counts. */
export type RootFacts = Pick<
  SpanRecord,
  "workflowId" | "workflowName" | "threadId" | "executionStatus" | "resource" | "cache"
>;

/** The execution's spans without their payload, and what descendants bear, also those that belong to other executions. */
async function readCounted(
  session: Session,
  schema: string,
  { no, scopeNo, summary: { executionId } }: FoundExecution,
): Promise<{ spans: SpanRecord[]; below: ReadonlyMap<string, number> }> {
  const rows = await session.rows(
    `SELECT skeleton::text, facts::text FROM ${schema}.span WHERE exec_no = $1`,
    no,
  );
  const spans = (rows as [string, string | null][]).map(([skeleton, facts]) =>
    toSpan(executionId, skeleton, facts),
  );
  const others = await session.rows(
    `SELECT s.skeleton FROM ${schema}.exec_trace own
     CROSS JOIN LATERAL (
       SELECT exec_no FROM ${schema}.exec_trace t
       WHERE t.scope_no = $2 AND t.trace_id = own.trace_id AND t.exec_no <> own.exec_no OFFSET 0) other
     CROSS JOIN LATERAL (
       SELECT s.skeleton::text AS skeleton FROM ${schema}.span s
       WHERE s.scope_no = $2 AND s.trace_id = own.trace_id AND s.exec_no = other.exec_no OFFSET 0) s
     WHERE own.exec_no = $1`,
    no,
    scopeNo,
  );
  if (others.length === 0) return { spans, below: bearsBelow(spans) };
  const beside = (others as [string][]).map(([skeleton]) => parseSkeleton(skeleton));
  return { spans, below: bearsBelow([...spans, ...beside]) };
}

/** A record as far as any sum looks at it. */
function toSpan(executionId: string, skeleton: string, facts: string | null): SpanRecord {
  return {
    ...parseSkeleton(skeleton),
    executionId,
    ...NO_PAYLOAD,
    ...(facts !== null && (JSON.parse(facts) as RootFacts)),
  };
}

/** What a record must have and a skeleton lacks. */
export const NO_PAYLOAD: Pick<
  SpanRecord,
  "otelKind" | "attributes" | "events" | "links" | "resource" | "instrumentation" | "schemaVersion"
> = {
  otelKind: "internal",
  attributes: {},
  events: [],
  links: [],
  resource: { attributes: {} },
  instrumentation: { name: "" },
  schemaVersion: SCHEMA_VERSION,
};
