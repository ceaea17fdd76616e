import type { SpanRecord } from "@spanloom/model";
import type { ChangedSpan, SpanRef, StoredSpan } from "../../ledger/changes.ts";
import { factsOf, type SpanFacts } from "../../ledger/facts.ts";
import { encodeRecord, parseSkeleton } from "../../sql/row-codec.ts";
import { chunks } from "./chunks.ts";
import type { Columns, Database } from "./client.ts";
import type { Own } from "./rows.ts";

/** Those that are text as they are come first, JSON comes last. */
const COLUMNS: Columns = [
  "scope",
  ...["version", "trace_id", "span_id", "execution_id", "written_id", "ins_seq", "seq"],
  ...["facts", "skeleton", "rest"],
];

/**
 * Inserts spans as they are now: those with a record as it says; of those with another place their rows as they stand are
 * written again. All in one insert.
 */
export async function insertSpans(db: Database, own: Own, spans: readonly ChangedSpan[]): Promise<void> {
  const moved = await movedRows(
    db,
    own.scope,
    spans.filter((span) => span.record === undefined),
  );
  const stored = spans.filter(({ record, facts }) => record !== undefined || moved.has(keyOf(facts)));
  if (stored.length > 0) await db.insertLines("span", COLUMNS, spanLines(own, stored, moved));
}

/** The facts of all spans of these traces. */
export async function readSpans(
  db: Database,
  scope: string,
  traceIds: readonly string[],
  seen: (version: number) => void,
): Promise<StoredSpan[]> {
  const spans: StoredSpan[] = [];
  for (const part of chunks(traceIds, 1000)) {
    const rows = await db.rows<{
      execution_id: string;
      ins_seq: number;
      seq: number;
      written_id: string;
      skeleton: string;
      facts: string;
      version: number;
    }>(
      `SELECT execution_id, ins_seq, seq, written_id, skeleton, facts, version FROM ${db.name}.span
       WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)}
       ORDER BY version DESC LIMIT 1 BY trace_id, span_id`,
      { scope, traces: part },
    );
    for (const row of rows) {
      seen(row.version);
      spans.push({ facts: factsFrom(row), executionId: row.execution_id, insSeq: row.ins_seq, seq: row.seq });
    }
  }
  return spans;
}

/** Every version of the spans goes, so that none of an older execution shows again. */
export async function removeSpans(db: Database, scope: string, spans: readonly SpanRef[]): Promise<void> {
  for (const part of chunks(spans, 5000)) {
    await db.command(
      `DELETE FROM ${db.name}.span WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)}
       AND concat(trace_id, span_id) IN {keys:Array(String)}`,
      { scope, traces: tracesOf(part), keys: part.map(keyOf) },
    );
  }
}

export function tracesOf(spans: readonly SpanRef[]): string[] {
  return [...new Set(spans.map((span) => span.traceId))];
}

function keyOf({ traceId, spanId }: SpanRef): string {
  return traceId + spanId;
}

/** What a row says of a span's record. */
type Texts = Record<"written_id" | "facts" | "skeleton" | "rest", string>;

/** One line of TabSeparated a span, made when it is sent. */
function* spanLines(
  own: Own,
  spans: readonly ChangedSpan[],
  moved: ReadonlyMap<string, Texts>,
): Generator<string, void, undefined> {
  const scope = escapeText(own.scope);
  for (const { facts, executionId, insSeq, seq, record } of spans) {
    const { traceId, spanId } = facts;
    const texts = record === undefined ? (moved.get(keyOf(facts)) as Texts) : textsOf(facts, record);
    const at = escapeText(executionId);
    const written = texts.written_id === executionId ? at : escapeText(texts.written_id);
    const json = `${escapeJson(texts.facts)}\t${escapeJson(texts.skeleton)}\t${escapeJson(texts.rest)}`;
    yield `${scope}\t${own.version}\t${traceId}\t${spanId}\t${at}\t${written}\t${insSeq}\t${seq}\t${json}\n`;
  }
}

function textsOf(facts: SpanFacts, record: SpanRecord): Texts {
  return { written_id: facts.executionId, facts: factsText(facts), ...encodeRecord(record) };
}

/** As TabSeparated has it. */
function escapeText(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (char) => ESCAPED[char] ?? char);
}

const ESCAPED: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** JSON has no bare tabs and newlines. */
function escapeJson(json: string): string {
  return json.replaceAll("\\", "\\\\");
}

/** What the skeleton lacks of a span's facts; most spans have nothing of it. */
function factsText(facts: SpanFacts): string {
  const { executionStatus, cache, workflowId, workflowName, threadId, resource } = facts;
  const text = JSON.stringify({
    ...{ executionStatus, cache, workflowId, workflowName, threadId },
    resource: Object.keys(resource.attributes).length === 0 ? undefined : resource,
  });
  return text === "{}" ? "" : text;
}

/** Facts as they were when the row was written. */
function factsFrom(row: { written_id: string; skeleton: string; facts: string }): SpanFacts {
  const more = row.facts === "" ? {} : (JSON.parse(row.facts) as Partial<SpanFacts>);
  return factsOf({
    resource: { attributes: {} },
    ...parseSkeleton(row.skeleton),
    ...more,
    executionId: row.written_id,
  });
}

/** The rows of these spans as they stand, by trace and span id. */
async function movedRows(
  db: Database,
  scope: string,
  spans: readonly ChangedSpan[],
): Promise<Map<string, Texts>> {
  const rows = new Map<string, Texts>();
  const refs = spans.map(({ facts }) => facts);
  for (const part of chunks(refs, 1000)) {
    const found = await db.rows<Texts & { key: string }>(
      `SELECT concat(trace_id, span_id) AS key, written_id, facts, skeleton, rest FROM ${db.name}.span
       WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)} AND key IN {keys:Array(String)}
       ORDER BY version DESC LIMIT 1 BY trace_id, span_id`,
      { scope, traces: tracesOf(part), keys: part.map(keyOf) },
    );
    for (const row of found) rows.set(row.key, row);
  }
  return rows;
}
