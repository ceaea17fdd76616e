import { type LatencySlots, summarizeExecution } from "@spanloom/metrics";
import type { ExecutionSummary, SpanRecord } from "@spanloom/model";
import type {
  ChangedExecution,
  ChangedSpan,
  ExecutionCell,
  LedgerChanges,
  Missing,
  SpanRef,
  StoredExecution,
  StoredPart,
  StoredSpan,
} from "../../ledger/changes.ts";
import { factsOf, type SpanFacts } from "../../ledger/facts.ts";
import { sortValue } from "../../list-query.ts";
import { encodeRecord, parseSkeleton } from "../../sql/row-codec.ts";
import { SUM_COLUMNS, type Sums, sumsFrom } from "../../sql/sums.ts";
import type { Database } from "./client.ts";
import { findExecutions } from "./read-executions.ts";

/**
 * Whole traces and executions of a scope, as the ledger asks for them.
 *
 * @param seen Gets the greatest version of what was read.
 */
export async function loadPart(
  db: Database,
  scope: string,
  { traceIds, executionIds }: Missing,
  seen: (version: number) => void,
): Promise<StoredPart> {
  const found = await findExecutions(db, scope, executionIds);
  const ids = [...new Set([...traceIds, ...[...found.values()].flatMap((row) => row.traceIds)])];
  const [spans, gone, traces] = await Promise.all([
    readSpans(db, scope, ids, seen),
    readGone(db, scope, executionIds),
    readTraces(db, scope, ids),
  ]);
  for (const { version } of found.values()) seen(version);
  // A crash may have left the tombstone of a span that did not go.
  const placed = new Set(spans.map(({ facts, executionId }) => placeKey(executionId, facts)));
  const away = gone.filter((one) => !placed.has(placeKey(one.execution_id, toGone(one))));
  return {
    spans,
    executions: Array.from(
      found.values(),
      ({ executionId, seq, deleted }): StoredExecution => ({
        ...{ executionId, seq, deleted },
        gone: away.filter((one) => one.execution_id === executionId).map(toGone),
      }),
    ),
    traces,
  };
}

/**
 * Saves what a call changed. One insert of spans decides: where a crash comes after it, what stands in the other tables is
 * worked out from it again; where it comes before, nothing of the call shows. An execution that is deleted goes by its own row.
 * Every row carries the same version, higher than any before.
 */
export async function saveChanges(
  db: Database,
  scope: string,
  changes: LedgerChanges,
  version: number,
): Promise<void> {
  const own = { scope, version };
  await db.insert(
    "gone",
    changes.gone.map((one) => goneRow(own, one, one.seq, 0)),
  );
  const spans = changes.spans.filter((span) => span.record !== undefined).map((span) => spanRow(own, span));
  const moved = changes.spans.filter((span) => span.record === undefined);
  await db.insert("span", [...spans, ...(await movedRows(db, own, moved))]);
  await db.insert(
    "gone",
    changes.returned.map((one) => goneRow(own, one, 0, 1)),
  );
  const deleted = changes.executions.filter((one) => one.deleted);
  await db.insert(
    "execution",
    deleted.map((one) => executionRow(own, one)),
  );
  await Promise.all([
    db.insert(
      "trace",
      changes.traces.map((one) => ({
        ...own,
        trace_id: one.traceId,
        refuses_unnamed: Number(one.refusesUnnamed),
      })),
    ),
    db.insert(
      "usage_cell",
      changes.usage.map((cell) => usageRow(own, cell)),
    ),
    db.insert(
      "execution_stats",
      changes.executions.filter((one) => !one.deleted).flatMap((one) => statsRow(own, one)),
    ),
  ]);
  // What a deleted execution had added goes last: as long as it is there, the rest may not be gone either.
  await db.insert(
    "execution_stats",
    deleted.flatMap((one) => statsRow(own, one)),
  );
  // Last, so that an execution never shows what is not there yet.
  await db.insert(
    "execution",
    changes.executions.filter((one) => !one.deleted).map((one) => executionRow(own, one)),
  );
  await removeSpans(db, scope, changes.removed);
  await forget(db, scope, changes.forgotten);
}

/** What all rows of one save share. */
export interface Own {
  scope: string;
  version: number;
}

function spanRow(own: Own, { facts, executionId, insSeq, seq, record }: ChangedSpan): object {
  const { skeleton, rest } = encodeRecord(record as SpanRecord);
  return {
    ...own,
    ...keyOf(facts),
    execution_id: executionId,
    written_id: facts.executionId,
    ins_seq: insSeq,
    seq,
    facts: factsText(facts),
    skeleton,
    rest,
  };
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

/** Spans whose record is as it was, with another place: their rows as they stand are written again. */
async function movedRows(db: Database, own: Own, spans: readonly ChangedSpan[]): Promise<object[]> {
  const rows: object[] = [];
  for (const part of chunks(spans, 1000)) {
    const places = new Map(part.map((span) => [span.facts.traceId + span.facts.spanId, span]));
    const found = await db.rows<SpanRow>(
      `SELECT trace_id, span_id, written_id, facts, skeleton, rest FROM ${db.name}.span
       WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)} AND concat(trace_id, span_id) IN {keys:Array(String)}
       ORDER BY version DESC LIMIT 1 BY trace_id, span_id`,
      { scope: own.scope, traces: tracesOf(part.map(({ facts }) => facts)), keys: [...places.keys()] },
    );
    for (const row of found) {
      const place = places.get(row.trace_id + row.span_id);
      if (place === undefined) continue;
      const { executionId, insSeq, seq } = place;
      rows.push({ ...row, ...own, execution_id: executionId, ins_seq: insSeq, seq });
    }
  }
  return rows;
}

type SpanRow = Record<"trace_id" | "span_id" | "written_id" | "facts" | "skeleton" | "rest", string>;

function goneRow(own: Own, one: SpanRef & { executionId: string }, seq: number, back: 0 | 1): object {
  return { ...own, ...keyOf(one), execution_id: one.executionId, seq, back };
}

export function executionRow(
  own: Own,
  { executionId, seq, deleted, summary, lastActivity }: ChangedExecution,
): object {
  const shown = summary ?? EMPTY_SUMMARY;
  const {
    traceIds,
    startTime,
    workflowId,
    workflowName,
    threadId,
    status,
    durationMs,
    cost,
    nodeCount,
    spanCount,
  } = shown;
  return {
    ...own,
    execution_id: executionId,
    seq,
    hidden: summary === undefined ? 1 : 0,
    deleted: deleted ? 1 : 0,
    trace_ids: traceIds,
    start_time: startTime,
    last_time: lastActivity ?? "0",
    workflow_id: workflowId ?? "",
    sort_name: sortValue(shown, "workflowName") ?? null,
    thread_id: threadId ?? null,
    status,
    duration_ms: durationMs ?? null,
    nano_usd: cost.nanoUsd ?? null,
    node_count: nodeCount,
    span_count: spanCount,
    search: [executionId, workflowId, workflowName]
      .filter((part) => part !== undefined)
      .join("\u001f")
      .toLowerCase(),
    summary: JSON.stringify({ ...shown, executionId, seq }),
  };
}

/** Of an execution without spans nobody sees a summary but those who followed it. */
const EMPTY_SUMMARY: ExecutionSummary = summarizeExecution("", [], 0);

export function usageRow(own: Own, { executionId, bucket, model, workflowId, sums }: ExecutionCell): object {
  return { ...own, execution_id: executionId, bucket, model, workflow_id: workflowId, ...sumColumns(sums) };
}

function sumColumns(sums: Sums): object {
  return Object.fromEntries(SUM_COLUMNS.map((column, index) => [column, sums[index]]));
}

/** What an execution adds to analytics. Where it has no spans left it adds nothing: its quarter-hour is 0, where no question looks. */
export function statsRow(own: Own, { executionId, stats, statsBefore }: ChangedExecution): object[] {
  if (stats === undefined && statsBefore === undefined) return [];
  if (stats === undefined) return [noStatsRow(own, executionId)];
  const { workflowId = "", bucket, status, slot = -1, nodeTypes, models } = stats;
  const types = flatten(nodeTypes);
  const calls = flatten(models);
  return [
    {
      ...own,
      ...{ execution_id: executionId, workflow_id: workflowId, bucket, status, slot },
      ...{
        type_keys: nodeTypes.map((type) => type.key),
        type_sums: nodeTypes.map(({ usage, cost }) => sumsFrom(usage, cost)),
      },
      ...{ type_slot_keys: types.keys, type_slots: types.slots, type_counts: types.counts },
      ...{ model_slot_keys: calls.keys, model_slots: calls.slots, model_counts: calls.counts },
    },
  ];
}

export function noStatsRow(own: Own, executionId: string): object {
  return { ...own, execution_id: executionId, slot: -1 };
}

function flatten(groups: readonly { key: string; slots: LatencySlots }[]): {
  keys: string[];
  slots: number[];
  counts: number[];
} {
  const all = groups.flatMap(({ key, slots }) => slots.map(([slot, count]) => ({ key, slot, count })));
  return {
    keys: all.map((one) => one.key),
    slots: all.map((one) => one.slot),
    counts: all.map((one) => one.count),
  };
}

async function readSpans(
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

interface GoneRow {
  execution_id: string;
  trace_id: string;
  span_id: string;
  seq: number;
}

async function readGone(db: Database, scope: string, executionIds: readonly string[]): Promise<GoneRow[]> {
  if (executionIds.length === 0) return [];
  return db.rows<GoneRow>(
    `SELECT execution_id, trace_id, span_id, seq FROM
       (SELECT * FROM ${db.name}.gone WHERE scope = {scope:String} AND execution_id IN {ids:Array(String)}
        ORDER BY version DESC LIMIT 1 BY execution_id, trace_id, span_id)
     WHERE back = 0`,
    { scope, ids: executionIds },
  );
}

function toGone({ trace_id, span_id, seq }: GoneRow): StoredExecution["gone"][number] {
  return { traceId: trace_id, spanId: span_id, seq };
}

async function readTraces(
  db: Database,
  scope: string,
  traceIds: readonly string[],
): Promise<StoredPart["traces"]> {
  if (traceIds.length === 0) return [];
  const rows = await db.rows<{ trace_id: string; refuses_unnamed: number }>(
    `SELECT trace_id, refuses_unnamed FROM ${db.name}.trace
     WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)} ORDER BY version DESC LIMIT 1 BY trace_id`,
    { scope, traces: traceIds },
  );
  return rows.map((row) => ({ traceId: row.trace_id, refusesUnnamed: row.refuses_unnamed === 1 }));
}

/** Every version of the spans goes, so that none of an older execution shows again. */
export async function removeSpans(db: Database, scope: string, spans: readonly SpanRef[]): Promise<void> {
  for (const part of chunks(spans, 5000)) {
    await db.command(
      `DELETE FROM ${db.name}.span WHERE scope = {scope:String} AND trace_id IN {traces:Array(String)}
       AND concat(trace_id, span_id) IN {keys:Array(String)}`,
      { scope, traces: tracesOf(part), keys: part.map(({ traceId, spanId }) => traceId + spanId) },
    );
  }
}

/** Of pruned executions only what they added to sums over time stays. */
async function forget(db: Database, scope: string, executionIds: readonly string[]): Promise<void> {
  for (const part of chunks(executionIds, 1000)) {
    for (const table of ["execution", "gone"]) {
      await db.command(
        `DELETE FROM ${db.name}.${table} WHERE scope = {scope:String} AND execution_id IN {ids:Array(String)}`,
        { scope, ids: part },
      );
    }
  }
}

function placeKey(executionId: string, { traceId, spanId }: SpanRef): string {
  return `${traceId}${spanId}${executionId}`;
}

function keyOf({ traceId, spanId }: SpanRef): { trace_id: string; span_id: string } {
  return { trace_id: traceId, span_id: spanId };
}

export function tracesOf(spans: readonly SpanRef[]): string[] {
  return [...new Set(spans.map((span) => span.traceId))];
}

/** Parameters of a query travel in its URL: there is room for some thousands. */
export function* chunks<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
