import { type LatencySlots, summarizeExecution } from "@spanloom/metrics";
import type { ExecutionSummary } from "@spanloom/model";
import type {
  ChangedExecution,
  ExecutionCell,
  LedgerChanges,
  Missing,
  SpanRef,
  StoredExecution,
  StoredPart,
} from "../../ledger/changes.ts";
import { sortValue } from "../../list-query.ts";
import { SUM_COLUMNS, type Sums, sumsFrom } from "../../sql/sums.ts";
import { chunks } from "./chunks.ts";
import type { Database } from "./client.ts";
import { findExecutions } from "./read-executions.ts";
import { insertSpans, readSpans, removeSpans } from "./span-rows.ts";

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
  // Who reads asks by executions, then by their traces, and mostly finds them. Who brings spans asks by both at once, and
  // mostly they are the first.
  const asked = [...new Set([...traceIds, ...executionIds])];
  const brings = traceIds.length > 0 && executionIds.length > 0;
  const known = brings ? await knownIds(db, scope, asked) : new Set(asked);
  const isKnown = (id: string): boolean => known.has(id);
  const found = await findExecutions(db, scope, executionIds.filter(isKnown));
  const theirs = [...found.values()].flatMap((row) => row.traceIds);
  const ids = [...new Set([...traceIds.filter(isKnown), ...theirs])];
  const [spans, gone, traces] = await Promise.all([
    readSpans(db, scope, ids, seen),
    readGone(db, scope, [...found.keys()]),
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
  await insertSpans(db, own, changes.spans);
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

/** Those of the ids that anything is stored of, in one question. */
async function knownIds(db: Database, scope: string, ids: readonly string[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (const part of chunks(ids, 2000)) {
    const branches = [
      ["execution", "execution_id"],
      ["span", "trace_id"],
      ["trace", "trace_id"],
    ].map(
      ([table, key]) =>
        `SELECT ${key} AS id FROM ${db.name}.${table} WHERE scope = {scope:String} AND ${key} IN {ids:Array(String)}`,
    );
    const rows = await db.rows<{ id: string }>(`SELECT DISTINCT id FROM (${branches.join(" UNION ALL ")})`, {
      scope,
      ids: part,
    });
    for (const { id } of rows) known.add(id);
  }
  return known;
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
