import { parentOf } from "@spanloom/model";
import type { ChangedSpan, LedgerChanges } from "../../ledger/changes.ts";
import { encodeRecord } from "../../sql/row-codec.ts";
import { columnsOf, joinJson, jsonTexts } from "./client.ts";
import type { RootFacts } from "./read-metrics.ts";
import type { SaveTarget } from "./save.ts";

/** How many characters of JSON go to the server at once: a single text may not grow without bound. */
const MOST_LENGTH = 32_000_000;

export async function saveSpans(target: SaveTarget, spans: readonly ChangedSpan[]): Promise<void> {
  let written: WrittenSpan[] = [];
  let length = 0;
  const moved: ChangedSpan[] = [];
  for (const span of spans) {
    const { record } = span;
    if (record === undefined) {
      moved.push(span);
      continue;
    }
    const { skeleton, rest } = encodeRecord(record);
    if (written.length > 0 && length + skeleton.length + rest.length > MOST_LENGTH) {
      await writeSpans(target, written);
      written = [];
      length = 0;
    }
    length += skeleton.length + rest.length;
    written.push({ span, skeleton, rest, jsonb: fitsJsonb(rest) });
  }
  if (written.length > 0) await writeSpans(target, written);
  if (moved.length > 0) await moveSpans(target, moved);
}

async function writeSpans(
  { session, schema, scopeNo, numberOf }: SaveTarget,
  written: readonly WrittenSpan[],
): Promise<void> {
  const spans = written.map(({ span }) => span);
  await session.rows(
    `INSERT INTO ${schema}.span (scope_no, trace_id, span_id, exec_no, ins_seq, seq, parent_id, start_time, unnamed,
       skeleton_length, rest_length, facts, skeleton, rest, rest_text)
     SELECT $1, g.trace_id, g.span_id, g.exec_no, g.ins_seq, g.seq, g.parent_id, g.start_time, g.unnamed,
       g.skeleton_length, g.rest_length, g.facts::json, g.skeleton::json, g.rest::jsonb, g.rest_text::json
     FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::boolean[],
       $10::int[], $11::int[], ${jsonTexts("$12")}, ${jsonTexts("$13")}, ${jsonTexts("$14")}, ${jsonTexts("$15")})
       AS g(trace_id, span_id, exec_no, ins_seq, seq, parent_id, start_time, unnamed,
         skeleton_length, rest_length, facts, skeleton, rest, rest_text)
     ON CONFLICT (scope_no, trace_id, span_id) DO UPDATE SET exec_no = excluded.exec_no, ins_seq = excluded.ins_seq, seq = excluded.seq,
       parent_id = excluded.parent_id, start_time = excluded.start_time, unnamed = excluded.unnamed,
       skeleton_length = excluded.skeleton_length, rest_length = excluded.rest_length, facts = excluded.facts,
       skeleton = excluded.skeleton, rest = excluded.rest, rest_text = excluded.rest_text`,
    scopeNo,
    ...columnsOf<ChangedSpan>(
      spans,
      ({ facts }) => facts.traceId,
      ({ facts }) => facts.spanId,
      ({ executionId }) => numberOf(executionId),
      ({ insSeq }) => insSeq,
      ({ seq }) => seq,
      ({ facts }) => parentOf(facts) ?? null,
      ({ facts }) => facts.startTime,
      ({ facts }) => facts.executionId === facts.traceId,
    ),
    ...columnsOf<WrittenSpan>(
      written,
      ({ skeleton }) => skeleton.length,
      ({ rest }) => rest.length,
    ),
    joinJson(spans.map(rootFactsOf)),
    joinJson(written.map(({ skeleton }) => skeleton)),
    joinJson(written.map(({ rest, jsonb }) => (jsonb ? rest : null))),
    joinJson(written.map(({ rest, jsonb }) => (jsonb ? null : rest))),
  );
}

/** Their records stay, their places change. */
async function moveSpans(
  { session, schema, scopeNo, numberOf }: SaveTarget,
  moved: readonly ChangedSpan[],
): Promise<void> {
  await session.rows(
    `UPDATE ${schema}.span s SET exec_no = m.exec_no, ins_seq = m.ins_seq, seq = m.seq
     FROM (
       SELECT found.ctid AS place, g.* FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
         AS g(trace_id, span_id, exec_no, ins_seq, seq)
       CROSS JOIN LATERAL (
         SELECT t.ctid FROM ${schema}.span t
         WHERE t.scope_no = $1 AND t.trace_id = g.trace_id AND t.span_id = g.span_id OFFSET 0) AS found) AS m
     WHERE s.ctid = m.place`,
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

interface WrittenSpan {
  span: ChangedSpan;
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
function rootFactsOf({ facts }: ChangedSpan): string | null {
  const { workflowId, workflowName, threadId, executionStatus, cache, resource } = facts;
  const said: Partial<RootFacts> = {
    ...(workflowId !== undefined && { workflowId }),
    ...(workflowName !== undefined && { workflowName }),
    ...(threadId !== undefined && { threadId }),
    ...(executionStatus !== undefined && { executionStatus }),
    ...(cache !== undefined && { cache }),
    ...(Object.keys(resource.attributes).length > 0 && { resource }),
  };
  return Object.keys(said).length === 0 ? null : JSON.stringify(said);
}

export async function removeSpans(
  { session, schema, scopeNo }: SaveTarget,
  { removed }: LedgerChanges,
): Promise<void> {
  if (removed.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.span WHERE ctid = ANY(ARRAY(
       SELECT found.ctid FROM unnest($2::uuid[], $3::text[]) AS k(trace_id, span_id)
       CROSS JOIN LATERAL (
         SELECT t.ctid FROM ${schema}.span t
         WHERE t.scope_no = $1 AND t.trace_id = k.trace_id AND t.span_id = k.span_id OFFSET 0) AS found))`,
    scopeNo,
    ...columnsOf(
      removed,
      ({ traceId }) => traceId,
      ({ spanId }) => spanId,
    ),
  );
}

export async function saveGone(
  { session, schema, numberOf }: SaveTarget,
  { gone, returned }: LedgerChanges,
): Promise<void> {
  if (returned.length > 0) {
    await session.rows(
      `DELETE FROM ${schema}.span_gone WHERE ctid = ANY(ARRAY(
       SELECT found.ctid FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS k(exec_no, trace_id, span_id)
       CROSS JOIN LATERAL (
         SELECT t.ctid FROM ${schema}.span_gone t
         WHERE t.exec_no = k.exec_no AND t.trace_id = k.trace_id AND t.span_id = k.span_id OFFSET 0) AS found))`,
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
