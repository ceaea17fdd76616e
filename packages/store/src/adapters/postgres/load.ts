import type { ExecutionSummary, SpanRecord } from "@spanloom/model";
import type {
  GoneSpan,
  Missing,
  SpanRef,
  StoredExecution,
  StoredPart,
  StoredSpan,
} from "../../ledger/changes.ts";
import { factsOf } from "../../ledger/facts.ts";
import { parseSkeleton, recordJson } from "../../sql/row-codec.ts";
import { arrayOf } from "./client.ts";
import type { Session } from "./database.ts";
import { isWellFormed, keyText, textOfKey } from "./key-text.ts";
import { NO_PAYLOAD, type RootFacts } from "./read-metrics.ts";

/** Whole components as they are stored, and the numbers of their executions. */
export interface LoadedPart {
  /** What was asked for, and all that is connected with it. */
  covered: Missing;
  part: StoredPart;
  numbers: Map<string, number>;
}

/** Reads executions and traces with all that is connected with them. */
export async function loadPart(
  session: Session,
  schema: string,
  scopeNo: number,
  { traceIds, executionIds }: Missing,
): Promise<LoadedPart> {
  // Unnamed spans of a trace belong, or may come back, to the execution that has its id.
  const named = [...new Set([...executionIds, ...traceIds])];
  const executions = (await session.rows(
    `WITH RECURSIVE part(exec_no) AS (
       (SELECT exec_no FROM ${schema}.execution WHERE scope_no = $1 AND execution_id = ANY($2::text[])
        UNION SELECT exec_no FROM ${schema}.exec_trace WHERE scope_no = $1 AND trace_id = ANY($3::uuid[]))
       UNION
       SELECT beside.exec_no FROM part
         CROSS JOIN LATERAL (
           SELECT t.trace_id FROM ${schema}.exec_trace t WHERE t.exec_no = part.exec_no OFFSET 0) AS own
         CROSS JOIN LATERAL (
           (SELECT t.exec_no FROM ${schema}.exec_trace t WHERE t.scope_no = $1 AND t.trace_id = own.trace_id OFFSET 0)
           UNION ALL (SELECT e.exec_no FROM ${schema}.execution e
             WHERE e.scope_no = $1 AND e.execution_id = replace(own.trace_id::text, '-', '') OFFSET 0)) AS beside)
     SELECT e.exec_no::float8, e.summary::text, e.seq::float8, e.deleted
     FROM part CROSS JOIN LATERAL (SELECT * FROM ${schema}.execution x WHERE x.exec_no = part.exec_no OFFSET 0) AS e`,
    scopeNo,
    arrayOf(named.filter(isWellFormed).map(keyText)),
    arrayOf(traceIds),
  )) as [number, string, number, boolean][];
  const covered = { traceIds: new Set(traceIds), executionIds: new Set(named) };
  const numbers = new Map<string, number>();
  const byNo = new Map<number, StoredExecution>();
  for (const [no, summary, seq, deleted] of executions) {
    // The server cannot look into JSON with NUL.
    const { executionId, traceIds: own } = JSON.parse(summary) as ExecutionSummary;
    covered.executionIds.add(executionId);
    for (const traceId of own) covered.traceIds.add(traceId);
    numbers.set(executionId, no);
    byNo.set(no, { executionId, seq, deleted, gone: [] });
  }
  const traces = [...covered.traceIds];
  for (const traceId of traces) covered.executionIds.add(traceId);
  const part: StoredPart = {
    spans: byNo.size === 0 ? [] : await readSpans(session, schema, byNo),
    executions: [...byNo.values()],
    traces: await readRefused(session, schema, scopeNo, traces),
  };
  if (byNo.size > 0) await readGone(session, schema, byNo);
  return { covered: { traceIds: traces, executionIds: [...covered.executionIds] }, part, numbers };
}

/** The numbers of those executions that are stored. */
export async function loadNumbers(
  session: Session,
  schema: string,
  scopeNo: number,
  executionIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = (await session.rows(
    `SELECT exec_no::float8, execution_id FROM ${schema}.execution WHERE scope_no = $1 AND execution_id = ANY($2::text[])`,
    scopeNo,
    arrayOf(executionIds.map(keyText)),
  )) as [number, string][];
  return new Map(rows.map(([no, key]) => [textOfKey(key), no]));
}

/** The stored records of some spans, as written. */
export async function loadRecords(
  session: Session,
  schema: string,
  scopeNo: number,
  spans: readonly SpanRef[],
): Promise<Map<string, SpanRecord>> {
  const records = new Map<string, SpanRecord>();
  if (spans.length === 0) return records;
  const rows = (await session.rows(
    `SELECT s.skeleton::text, coalesce(s.rest_text::text, s.rest::text), s.unnamed, e.summary::text
     FROM unnest($2::uuid[], $3::text[]) AS k(trace_id, span_id)
     CROSS JOIN LATERAL (
       SELECT * FROM ${schema}.span s
       WHERE s.scope_no = $1 AND s.trace_id = k.trace_id AND s.span_id = k.span_id OFFSET 0) AS s
     CROSS JOIN LATERAL (SELECT summary FROM ${schema}.execution x WHERE x.exec_no = s.exec_no OFFSET 0) AS e`,
    scopeNo,
    arrayOf(spans.map(({ traceId }) => traceId)),
    arrayOf(spans.map(({ spanId }) => spanId)),
  )) as [string, string, boolean, string][];
  for (const [skeleton, rest, unnamed, summary] of rows) {
    const { executionId } = JSON.parse(summary) as ExecutionSummary;
    const record = JSON.parse(recordJson(JSON.stringify(executionId), skeleton, rest)) as SpanRecord;
    if (unnamed) record.executionId = record.traceId;
    records.set(`${record.traceId}/${record.spanId}`, record);
  }
  return records;
}

async function readSpans(
  session: Session,
  schema: string,
  byNo: ReadonlyMap<number, StoredExecution>,
): Promise<StoredSpan[]> {
  const rows = (await session.rows(
    `SELECT exec_no::float8, ins_seq::float8, seq::float8, unnamed, skeleton::text, facts::text
     FROM ${schema}.span WHERE exec_no = ANY($1::bigint[])`,
    arrayOf([...byNo.keys()]),
  )) as [number, number, number, boolean, string, string | null][];
  return rows.map(([no, insSeq, seq, unnamed, skeleton, facts]) => {
    const executionId = byNo.get(no)?.executionId ?? "";
    const stored = parseSkeleton(skeleton);
    const record: SpanRecord = {
      ...stored,
      executionId: unnamed ? stored.traceId : executionId,
      ...NO_PAYLOAD,
      ...(facts !== null && (JSON.parse(facts) as RootFacts)),
    };
    return { facts: factsOf(record), executionId, insSeq, seq };
  });
}

async function readGone(
  session: Session,
  schema: string,
  byNo: ReadonlyMap<number, StoredExecution>,
): Promise<void> {
  const rows = (await session.rows(
    `SELECT exec_no::float8, seq::float8, trace_id::text, span_id FROM ${schema}.span_gone WHERE exec_no = ANY($1::bigint[])`,
    arrayOf([...byNo.keys()]),
  )) as [number, number, string, string][];
  for (const [no, seq, traceId, spanId] of rows) {
    const gone: GoneSpan = { seq, traceId: traceId.replaceAll("-", ""), spanId };
    byNo.get(no)?.gone.push(gone);
  }
}

async function readRefused(
  session: Session,
  schema: string,
  scopeNo: number,
  traceIds: readonly string[],
): Promise<StoredPart["traces"]> {
  const rows = (await session.rows(
    `SELECT trace_id::text FROM ${schema}.trace_refused WHERE scope_no = $1 AND trace_id = ANY($2::uuid[])`,
    scopeNo,
    arrayOf(traceIds),
  )) as [string][];
  return rows.map(([traceId]) => ({ traceId: traceId.replaceAll("-", ""), refusesUnnamed: true }));
}
