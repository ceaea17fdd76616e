import type { Connection } from "./connection.ts";
import type { Executions } from "./executions.ts";
import { loadRows, type Namer, type SpanRow, type SpanState, type TraceRow } from "./span-rows.ts";

/**
 * Gives unnamed spans their execution: that of their trace's naming span, else one named like the trace. The naming span
 * is kept with the trace; it is looked for again only when it changes for the worse.
 */
export function nameSpans(db: Connection, executions: Executions, changed: readonly SpanRow[]): void {
  const traces = new Map<TraceRow, SpanRow[]>();
  for (const row of changed) {
    const own = traces.get(row.trace);
    if (own === undefined) traces.set(row.trace, [row]);
    else own.push(row);
  }
  for (const [trace, rows] of traces) {
    const before = trace.namer;
    trace.namer = nextNamer(db, trace, rows);
    if (trace.namer !== before) saveNamer(db, trace);
    const anyUnnamed = rows.some((row) => row.now.unnamed === 1);
    if (trace.namer?.exec !== before?.exec) loadRows(db, trace, "unnamed = 1");
    else if (!anyUnnamed) continue;
    const exec = trace.namer?.exec ?? (hasUnnamed(trace) ? executions.byId(trace.id).no : 0);
    for (const row of trace.rows.values()) if (row?.now.unnamed === 1) row.now.exec = exec;
  }
}

/** Looks for the naming span again, after spans of the trace went away. */
export function renameTrace(db: Connection, trace: TraceRow): void {
  trace.namer = leastStored(db, trace);
  saveNamer(db, trace);
}

/** Where the row stands among those that could name its trace. */
function toNamer({ spanId, now }: SpanRow): Namer {
  return { exec: now.exec, rank: rankOf(now), startMs: now.startMs, startNs: now.startNs, spanId };
}

/** As `namingRank` of @spanloom/metrics, from columns: segment roots, parentless spans, others. */
function rankOf({ rootRank, parentId }: SpanState): number {
  return rootRank === 0 ? 0 : parentId === null ? 1 : 2;
}

function nextNamer(db: Connection, trace: TraceRow, changed: readonly SpanRow[]): Namer | undefined {
  let namer = trace.namer;
  const held = namer === undefined ? undefined : changed.find((row) => row.spanId === namer?.spanId);
  if (held !== undefined && namer !== undefined) {
    const again = held.now.unnamed === 1 ? undefined : toNamer(held);
    if (again === undefined || compareNamers(again, namer) > 0) namer = leastStored(db, trace);
    else if (again.exec !== namer.exec || compareNamers(again, namer) !== 0) namer = again;
  }
  for (const row of changed) {
    if (row.now.unnamed === 1) continue;
    const candidate = toNamer(row);
    if (namer === undefined || compareNamers(candidate, namer) < 0) namer = candidate;
  }
  return namer;
}

/** Looks through the whole trace; what the batch has changed is seen as it is now. */
function leastStored(db: Connection, trace: TraceRow): Namer | undefined {
  loadRows(db, trace, "unnamed = 0");
  let least: Namer | undefined;
  for (const row of trace.rows.values()) {
    if (row === undefined || row.now.unnamed === 1) continue;
    const candidate = toNamer(row);
    if (least === undefined || compareNamers(candidate, least) < 0) least = candidate;
  }
  return least;
}

function compareNamers(a: Namer, b: Namer): number {
  return (
    a.rank - b.rank ||
    a.startMs - b.startMs ||
    a.startNs - b.startNs ||
    (a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0)
  );
}

function hasUnnamed(trace: TraceRow): boolean {
  for (const row of trace.rows.values()) if (row?.now.unnamed === 1) return true;
  return false;
}

function saveNamer(db: Connection, { no, namer }: TraceRow): void {
  db.statement(
    "UPDATE trace SET namer_exec = ?, namer_rank = ?, namer_ms = ?, namer_ns = ?, namer_span = ? WHERE trace_no = ?",
  ).run(
    namer?.exec ?? null,
    namer?.rank ?? null,
    namer?.startMs ?? null,
    namer?.startNs ?? null,
    namer?.spanId ?? null,
    no,
  );
}
