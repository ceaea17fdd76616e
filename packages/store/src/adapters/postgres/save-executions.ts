import type { ExecutionSummary } from "@spanloom/model";
import type { ChangedExecution, LedgerChanges } from "../../ledger/changes.ts";
import { arrayOf, columnsOf, joinJson, jsonTexts } from "./client.ts";
import { keyText } from "./key-text.ts";
import { sortKeysOf } from "./list-executions.ts";
import { DIM, dimKey } from "./names.ts";
import type { ExecutionTarget, SaveTarget } from "./save.ts";

export async function saveExecutions(
  { session, schema, scopeNo, version, numberOf, tracesChanged }: ExecutionTarget,
  executions: readonly ChangedExecution[],
  numbers: ReadonlyMap<string, number>,
): Promise<void> {
  if (executions.length === 0) return;
  const rows = executions.map((execution) => {
    const { executionId, seq } = execution;
    const summary = execution.summary ?? emptySummary(executionId, seq);
    return { ...execution, summary, spanCount: summary.spanCount, keys: sortKeysOf(summary) };
  });
  type Row = (typeof rows)[number];
  await session.rows(
    `INSERT INTO ${schema}.execution (scope_no, version, exec_no, seq, start_time, last_time, duration_ms, nano_usd, workflow_no,
       span_count, node_count, deleted, status, execution_id, thread_id, workflow_name, search, summary)
     SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::float8[], $9::int[],
       $10::int[], $11::int[], $12::boolean[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], ${jsonTexts("$18")}::json[])
     ON CONFLICT (exec_no) DO UPDATE SET version = excluded.version, seq = excluded.seq, start_time = excluded.start_time,
       last_time = excluded.last_time, duration_ms = excluded.duration_ms, nano_usd = excluded.nano_usd, workflow_no = excluded.workflow_no,
       span_count = excluded.span_count, node_count = excluded.node_count, deleted = excluded.deleted, status = excluded.status,
       thread_id = excluded.thread_id, workflow_name = excluded.workflow_name, search = excluded.search, summary = excluded.summary`,
    scopeNo,
    version,
    ...columnsOf<Row>(
      rows,
      ({ executionId }) => numberOf(executionId),
      ({ seq }) => seq,
      ({ summary }) => summary.startTime,
      ({ lastActivity }) => lastActivity ?? 0,
      ({ summary }) => summary.durationMs ?? null,
      ({ summary }) => summary.cost.nanoUsd ?? null,
      ({ summary }) => numbers.get(dimKey(DIM.workflow, summary.workflowId ?? "")) ?? 0,
      ({ spanCount }) => spanCount,
      ({ summary }) => summary.nodeCount,
      ({ deleted }) => deleted,
      ({ summary }) => summary.status,
      ({ executionId }) => keyText(executionId),
      ({ summary }) => (summary.threadId === undefined ? null : keyText(summary.threadId)),
      ({ keys }) => keys.workflowName,
      ({ keys }) => keys.search,
    ),
    joinJson(rows.map(({ summary }) => JSON.stringify(summary))),
  );
  await saveTracesOf(
    { session, schema, scopeNo, numberOf },
    rows.map(({ summary }) => summary).filter(tracesChanged),
  );
}

async function saveTracesOf(
  { session, schema, scopeNo, numberOf }: Pick<SaveTarget, "session" | "schema" | "scopeNo" | "numberOf">,
  summaries: readonly ExecutionSummary[],
): Promise<void> {
  if (summaries.length === 0) return;
  await session.rows(
    `WITH now AS (
       SELECT * FROM unnest($2::bigint[], $3::uuid[]) AS n(exec_no, trace_id)),
     left_over AS (
       DELETE FROM ${schema}.exec_trace t WHERE t.exec_no = ANY($4::bigint[])
         AND NOT EXISTS (SELECT 1 FROM now WHERE now.exec_no = t.exec_no AND now.trace_id = t.trace_id))
     INSERT INTO ${schema}.exec_trace (scope_no, trace_id, exec_no) SELECT $1, trace_id, exec_no FROM now ON CONFLICT DO NOTHING`,
    scopeNo,
    ...columnsOf(
      summaries.flatMap(({ executionId, traceIds }) => traceIds.map((traceId) => ({ executionId, traceId }))),
      ({ executionId }) => numberOf(executionId),
      ({ traceId }) => traceId,
    ),
    arrayOf(summaries.map(({ executionId }) => numberOf(executionId))),
  );
}

/** What an execution without spans says of itself, to those who followed it. */
function emptySummary(executionId: string, seq: number): ExecutionSummary {
  const known = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 };
  return {
    ...{ executionId, status: "completed", traceIds: [], startTime: "0", seq },
    ...{ spanCount: 0, openSpanCount: 0, errorCount: 0, nodeCount: 0 },
    ...{ usage: { items: 0, known }, cost: { priced: 0, unpriced: 0 } },
  };
}

export async function forgetExecutions(
  { session, schema, numberOf }: SaveTarget,
  forgotten: readonly string[],
): Promise<void> {
  if (forgotten.length === 0) return;
  const numbers = arrayOf(forgotten.map(numberOf));
  for (const table of ["span_gone", "exec_trace", "execution"]) {
    await session.rows(`DELETE FROM ${schema}.${table} WHERE exec_no = ANY($1::bigint[])`, numbers);
  }
}

export async function saveTraces(
  { session, schema, scopeNo, version }: SaveTarget,
  { traces }: LedgerChanges,
): Promise<void> {
  if (traces.length === 0) return;
  await session.rows(
    `WITH now AS (
       SELECT * FROM unnest($3::uuid[], $4::boolean[]) AS n(trace_id, refuses)),
     allowed AS (
       DELETE FROM ${schema}.trace_refused t USING now WHERE t.scope_no = $1 AND t.trace_id = now.trace_id AND NOT now.refuses)
     INSERT INTO ${schema}.trace_refused (scope_no, version, trace_id) SELECT $1, $2, trace_id FROM now WHERE refuses
     ON CONFLICT (scope_no, trace_id) DO UPDATE SET version = excluded.version`,
    scopeNo,
    version,
    ...columnsOf(
      traces,
      ({ traceId }) => traceId,
      ({ refusesUnnamed }) => refusesUnnamed,
    ),
  );
}
