import { type ExecutionSummary, parentOf } from "@spanloom/model";
import type { ChangedExecution, ChangedSpan, LedgerChanges } from "../../ledger/index.ts";
import { encodeRecord } from "../../sql/row-codec.ts";
import { NOTHING_LEFT, SUM_COLUMNS, type Sums, takesAway } from "../../sql/sums.ts";
import { arrayOf, joinJson, jsonArray, type SqlValue } from "./client.ts";
import type { Session } from "./database.ts";
import { keyText } from "./key-text.ts";
import { sortKeysOf } from "./list-executions.ts";
import { DIM, dimKey, type NamedValue, type Names } from "./names.ts";
import type { RootFacts } from "./read-metrics.ts";
import {
  namesOf,
  prunedStatRows,
  prunedUsageRows,
  type StatRow,
  type StatRows,
  type StatUsageRow,
  statRows,
  type UsageRow,
  usageRows,
} from "./stat-rows.ts";

/** Where changes go: a scope, inside a write that has it to itself. */
export interface SaveTarget {
  session: Session;
  schema: string;
  names: Names;
  scopeNo: number;
  /** The number of the commit under way. */
  version: number;
  /** Unix seconds: sums of before are dropped, and come back by nothing. */
  sumsFrom: number;
  /** The number of an execution that the changes name. */
  numberOf(executionId: string): number;
  /** Whether the execution may be stored with other traces. */
  tracesChanged(summary: ExecutionSummary): boolean;
}

/** Where rows of executions go. */
export type ExecutionTarget = Omit<SaveTarget, "names" | "sumsFrom">;

/** Where sums go. */
export type SumTarget = Pick<SaveTarget, "session" | "schema" | "scopeNo">;

/** Saves what a ledger changed. Gives the names it made numbers, to be remembered after the commit. */
export async function saveChanges(target: SaveTarget, changes: LedgerChanges): Promise<ReadonlyMap<string, number>> {
  const { session, names, scopeNo, sumsFrom } = target;
  const kept = <C extends { bucket: number }>(cells: readonly C[]): C[] =>
    sumsFrom === 0 ? [...cells] : cells.filter(({ bucket }) => bucket >= sumsFrom);
  const numbers = await names.dims(session, scopeNo, namedIn(changes));
  await removeSpans(target, changes);
  await saveSpans(target, changes.spans);
  await saveGone(target, changes);
  await saveExecutions(target, changes.executions, numbers);
  await forgetExecutions(target, changes.forgotten);
  await saveTraces(target, changes);
  const { pruned } = changes;
  await addUsage(target, usageRows(kept(changes.rollup), numbers));
  await addStats(target, statRows(kept(changes.analytics), numbers));
  await addUsage(target, prunedUsageRows(kept(pruned.rollup), numbers));
  await addStats(target, prunedStatRows(kept(pruned.analytics), numbers));
  return numbers;
}

function namedIn({ rollup, analytics, pruned, executions }: LedgerChanges): NamedValue[] {
  return [
    ...namesOf(rollup, analytics),
    ...namesOf(pruned.rollup, pruned.analytics),
    ...executions.map(({ summary }): NamedValue => [DIM.workflow, summary?.workflowId ?? ""]),
  ];
}

/** Rows as one array literal a column. */
function columnsOf<R>(rows: readonly R[], ...columns: ((row: R) => SqlValue)[]): string[] {
  return columns.map((column) => arrayOf(rows.map(column)));
}

async function saveSpans({ session, schema, scopeNo, numberOf }: SaveTarget, spans: readonly ChangedSpan[]): Promise<void> {
  const written: WrittenSpan[] = [];
  const moved: ChangedSpan[] = [];
  for (const span of spans) {
    if (span.record === undefined) moved.push(span);
    else {
      const { skeleton, rest } = encodeRecord(span.record);
      written.push({ ...span, skeleton, rest, jsonb: fitsJsonb(rest) });
    }
  }
  if (written.length > 0) {
    await session.rows(
      `INSERT INTO ${schema}.span (scope_no, trace_id, span_id, exec_no, ins_seq, seq, parent_id, start_time, unnamed,
         skeleton_length, rest_length, facts, skeleton, rest, rest_text)
       SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::boolean[],
         $10::int[], $11::int[], ${jsonArray("$12", "json")}, ${jsonArray("$13", "json")}, ${jsonArray("$14", "jsonb")}, ${jsonArray("$15", "json")})
       ON CONFLICT (scope_no, trace_id, span_id) DO UPDATE SET exec_no = excluded.exec_no, ins_seq = excluded.ins_seq, seq = excluded.seq,
         parent_id = excluded.parent_id, start_time = excluded.start_time, unnamed = excluded.unnamed,
         skeleton_length = excluded.skeleton_length, rest_length = excluded.rest_length, facts = excluded.facts,
         skeleton = excluded.skeleton, rest = excluded.rest, rest_text = excluded.rest_text`,
      scopeNo,
      ...columnsOf<WrittenSpan>(
        written,
        ({ facts }) => facts.traceId,
        ({ facts }) => facts.spanId,
        ({ executionId }) => numberOf(executionId),
        ({ insSeq }) => insSeq,
        ({ seq }) => seq,
        ({ facts }) => parentOf(facts) ?? null,
        ({ facts }) => facts.startTime,
        ({ facts }) => facts.executionId === facts.traceId,
        ({ skeleton }) => skeleton.length,
        ({ rest }) => rest.length,
      ),
      joinJson(written.map(rootFactsOf)),
      joinJson(written.map(({ skeleton }) => skeleton)),
      joinJson(written.map(({ rest, jsonb }) => (jsonb ? rest : null))),
      joinJson(written.map(({ rest, jsonb }) => (jsonb ? null : rest))),
    );
  }
  if (moved.length === 0) return;
  await session.rows(
    `UPDATE ${schema}.span s SET exec_no = m.exec_no, ins_seq = m.ins_seq, seq = m.seq
     FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) AS m(trace_id, span_id, exec_no, ins_seq, seq)
     WHERE s.scope_no = $1 AND s.trace_id = m.trace_id AND s.span_id = m.span_id`,
    scopeNo,
    ...columnsOf<ChangedSpan>(
      moved,
      ({ facts }) => facts.traceId,
      ({ facts }) => facts.spanId,
      ({ executionId }) => numberOf(executionId),
      ({ insSeq }) => insSeq,
      ({ seq }) => seq,
    ),
  );
}

interface WrittenSpan extends ChangedSpan {
  skeleton: string;
  rest: string;
  /** Whether JSONB can hold the rest. */
  jsonb: boolean;
}

/** JSONB holds text without NUL, no half characters, and nothing very large. Source: https://www.postgresql.org/docs/current/datatype-json.html */
function fitsJsonb(json: string): boolean {
  return json.length < 50_000_000 && !NOT_IN_JSONB.test(json);
}

/** A backslash before it may itself be escaped: then text is kept as text for nothing. */
const NOT_IN_JSONB = /\\u(?:0000|d[89a-f])/;

/** What the record says as a root, or of caches: see the schema. */
function rootFactsOf({ facts, record }: WrittenSpan): string | null {
  const { workflowId, workflowName, threadId, executionStatus, cache, resource } = facts;
  const said: Partial<RootFacts> = {
    ...(workflowId !== undefined && { workflowId }),
    ...(workflowName !== undefined && { workflowName }),
    ...(threadId !== undefined && { threadId }),
    ...(executionStatus !== undefined && { executionStatus }),
    ...(cache !== undefined && { cache }),
    ...(Object.keys(resource.attributes).length > 0 && { resource }),
  };
  return record === undefined || Object.keys(said).length === 0 ? null : JSON.stringify(said);
}

async function removeSpans({ session, schema, scopeNo }: SaveTarget, { removed }: LedgerChanges): Promise<void> {
  if (removed.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.span s USING unnest($2::uuid[], $3::text[]) AS r(trace_id, span_id)
     WHERE s.scope_no = $1 AND s.trace_id = r.trace_id AND s.span_id = r.span_id`,
    scopeNo,
    ...columnsOf(
      removed,
      ({ traceId }) => traceId,
      ({ spanId }) => spanId,
    ),
  );
}

async function saveGone({ session, schema, numberOf }: SaveTarget, { gone, returned }: LedgerChanges): Promise<void> {
  if (returned.length > 0) {
    await session.rows(
      `DELETE FROM ${schema}.span_gone g USING unnest($1::bigint[], $2::uuid[], $3::text[]) AS r(exec_no, trace_id, span_id)
       WHERE g.exec_no = r.exec_no AND g.trace_id = r.trace_id AND g.span_id = r.span_id`,
      ...columnsOf(
        returned,
        ({ executionId }) => numberOf(executionId),
        ({ traceId }) => traceId,
        ({ spanId }) => spanId,
      ),
    );
  }
  if (gone.length === 0) return;
  await session.rows(
    `INSERT INTO ${schema}.span_gone (exec_no, seq, trace_id, span_id)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[])
     ON CONFLICT (exec_no, trace_id, span_id) DO UPDATE SET seq = excluded.seq`,
    ...columnsOf(
      gone,
      ({ executionId }) => numberOf(executionId),
      ({ seq }) => seq,
      ({ traceId }) => traceId,
      ({ spanId }) => spanId,
    ),
  );
}

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
       $10::int[], $11::int[], $12::boolean[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], ${jsonArray("$18", "json")})
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
  await saveTracesOf({ session, schema, scopeNo, numberOf }, rows.map(({ summary }) => summary).filter(tracesChanged));
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

async function forgetExecutions({ session, schema, numberOf }: SaveTarget, forgotten: readonly string[]): Promise<void> {
  if (forgotten.length === 0) return;
  const numbers = arrayOf(forgotten.map(numberOf));
  for (const table of ["span_gone", "exec_trace", "execution"]) {
    await session.rows(`DELETE FROM ${schema}.${table} WHERE exec_no = ANY($1::bigint[])`, numbers);
  }
}

async function saveTraces({ session, schema, scopeNo, version }: SaveTarget, { traces }: LedgerChanges): Promise<void> {
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

/**
 * SQL that adds rows to those of a table with the same key, or makes them: scope, then one array for each column. Nobody else
 * writes the scope, so rows are looked up once, and not locked before they are changed as by ON CONFLICT.
 */
function addSql(schema: string, table: string, key: readonly string[], added: readonly string[]): string {
  const types = [...key.map((column) => column.split(" ")[1]), ...added.map(() => "float8")];
  const keys = key.map((column) => column.split(" ")[0] as string);
  const same = (a: string, b: string): string => keys.map((column) => `${a}.${column} = ${b}.${column}`).join(" AND ");
  return `WITH given AS MATERIALIZED (
      SELECT * FROM unnest(${types.map((type, index) => `$${index + 2}::${type}[]`).join(", ")}) AS g(${[...keys, ...added].join(", ")})),
    there AS (
      UPDATE ${schema}.${table} t SET ${added.map((column) => `${column} = t.${column} + g.${column}`).join(", ")}
      FROM given g WHERE t.scope_no = $1 AND ${same("t", "g")} RETURNING ${keys.map((column) => `t.${column}`).join(", ")})
    INSERT INTO ${schema}.${table} (scope_no, ${[...keys, ...added].join(", ")})
    SELECT $1, * FROM given g WHERE NOT EXISTS (SELECT 1 FROM there WHERE ${same("there", "g")})`;
}

function sumColumns<R extends { sums: Sums }>(): ((row: R) => SqlValue)[] {
  return SUM_COLUMNS.map((_, index) => ({ sums }: R) => sums[index] ?? 0);
}

export async function addUsage({ session, schema, scopeNo }: SumTarget, rows: readonly UsageRow[]): Promise<void> {
  if (rows.length === 0) return;
  await session.rows(
    addSql(schema, "usage", ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "model_no int"], SUM_COLUMNS),
    scopeNo,
    ...columnsOf<UsageRow>(
      rows,
      ({ cube }) => cube,
      ({ grain }) => grain,
      ({ bucket }) => bucket,
      ({ workflowNo }) => workflowNo,
      ({ modelNo }) => modelNo,
      ...sumColumns<UsageRow>(),
    ),
  );
  const less = rows.filter(({ sums }) => takesAway(sums));
  if (less.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.usage u USING unnest($2::smallint[], $3::int[], $4::bigint[], $5::int[], $6::int[]) AS r(cube, grain, bucket, workflow_no, model_no)
     WHERE u.scope_no = $1 AND u.cube = r.cube AND u.grain = r.grain AND u.bucket = r.bucket AND u.workflow_no = r.workflow_no
       AND u.model_no = r.model_no AND ${NOTHING_LEFT}`,
    scopeNo,
    ...columnsOf(
      less,
      ({ cube }) => cube,
      ({ grain }) => grain,
      ({ bucket }) => bucket,
      ({ workflowNo }) => workflowNo,
      ({ modelNo }) => modelNo,
    ),
  );
}

export async function addStats(target: SumTarget, { stats, usage }: StatRows): Promise<void> {
  await addCounts(target, stats);
  await addTypeSums(target, usage);
}

async function addCounts({ session, schema, scopeNo }: SumTarget, rows: readonly StatRow[]): Promise<void> {
  if (rows.length === 0) return;
  const key: ((row: StatRow) => SqlValue)[] = [
    ({ kind }) => kind,
    ({ cube }) => cube,
    ({ grain }) => grain,
    ({ bucket }) => bucket,
    ({ workflowNo }) => workflowNo,
    ({ keyNo }) => keyNo,
    ({ slot }) => slot,
  ];
  await session.rows(
    addSql(
      schema,
      "stat",
      ["kind smallint", "cube smallint", "grain int", "bucket bigint", "workflow_no int", "key_no int", "slot smallint"],
      ["n"],
    ),
    scopeNo,
    ...columnsOf(rows, ...key, ({ count }) => count),
  );
  const less = rows.filter(({ count }) => count < 0);
  if (less.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.stat s USING unnest($2::smallint[], $3::smallint[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::smallint[])
       AS r(kind, cube, grain, bucket, workflow_no, key_no, slot)
     WHERE s.scope_no = $1 AND s.kind = r.kind AND s.cube = r.cube AND s.grain = r.grain AND s.bucket = r.bucket
       AND s.workflow_no = r.workflow_no AND s.key_no = r.key_no AND s.slot = r.slot AND s.n = 0`,
    scopeNo,
    ...columnsOf(less, ...key),
  );
}

async function addTypeSums({ session, schema, scopeNo }: SumTarget, rows: readonly StatUsageRow[]): Promise<void> {
  if (rows.length === 0) return;
  const key: ((row: StatUsageRow) => SqlValue)[] = [
    ({ cube }) => cube,
    ({ grain }) => grain,
    ({ bucket }) => bucket,
    ({ workflowNo }) => workflowNo,
    ({ typeNo }) => typeNo,
  ];
  await session.rows(
    addSql(schema, "stat_usage", ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "type_no int"], SUM_COLUMNS),
    scopeNo,
    ...columnsOf(rows, ...key, ...sumColumns<StatUsageRow>()),
  );
  const less = rows.filter(({ sums }) => takesAway(sums));
  if (less.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.stat_usage u USING unnest($2::smallint[], $3::int[], $4::bigint[], $5::int[], $6::int[]) AS r(cube, grain, bucket, workflow_no, type_no)
     WHERE u.scope_no = $1 AND u.cube = r.cube AND u.grain = r.grain AND u.bucket = r.bucket AND u.workflow_no = r.workflow_no
       AND u.type_no = r.type_no AND ${NOTHING_LEFT}`,
    scopeNo,
    ...columnsOf(less, ...key),
  );
}
