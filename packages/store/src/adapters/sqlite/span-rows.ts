import type { SpanRecord } from "@spanloom/model";
import {
  encodeRecord,
  factsOf,
  parseSkeleton,
  recordJson,
  type SpanFacts,
  type StoredSkeleton,
} from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";

/** A span row but for its record. */
export interface SpanState extends SpanFacts {
  /** The execution to which it belongs. */
  exec: number;
  /** 1 where its own record names no execution. */
  unnamed: number;
  insSeq: number;
  seq: number;
  node: number;
  /** What its descendants bear, and with its own: see the schema. */
  below: number;
  sub: number;
}

/** A span while a batch works on it. */
export interface SpanRow {
  trace: TraceRow;
  spanId: string;
  /** As it stood before the batch; absent when the batch brought it. */
  before: SpanState | undefined;
  now: SpanState;
  /** The record to be written; absent where the stored one stays. */
  record: SpanRecord | undefined;
  /** What of the record that `record` replaces was counted; absent where it counted for nothing. */
  replaced: StoredSkeleton | undefined;
  /** Its state but for the bits is written by this batch. */
  saved: boolean;
}

/** The span that gives a trace's unnamed spans their execution. */
export interface Namer {
  exec: number;
  rank: number;
  startMs: number;
  startNs: number;
  spanId: string;
}

/** A trace while a batch works on it. */
export interface TraceRow {
  no: number;
  id: string;
  /** Made by this batch: nothing of it is stored yet. */
  isNew: boolean;
  namer: Namer | undefined;
  /** Its unnamed spans belonged to a deleted execution: more of them are refused. */
  refusesUnnamed: boolean;
  /** Rows that were asked for; `undefined` for spans that are not there. */
  rows: Map<string, SpanRow | undefined>;
}

export function findTrace(db: Connection, scopeNo: number, id: string): TraceRow | undefined {
  const found = db
    .statement(
      "SELECT trace_no, namer_exec, namer_rank, namer_ms, namer_ns, namer_span, refuses_unnamed FROM trace WHERE scope_no = ? AND trace_id = ?",
    )
    .get(scopeNo, id) as [number, number | null, number, number, number, string, number] | undefined;
  if (found === undefined) return undefined;
  const [no, exec, rank, startMs, startNs, spanId, refuses] = found;
  const namer = exec === null ? undefined : { exec, rank, startMs, startNs, spanId };
  return { no, id, isNew: false, namer, refusesUnnamed: refuses === 1, rows: new Map() };
}

export function insertTrace(db: Connection, scopeNo: number, id: string): TraceRow {
  const { lastInsertRowid } = db
    .statement("INSERT INTO trace (scope_no, trace_id) VALUES (?, ?)")
    .run(scopeNo, id);
  return {
    no: Number(lastInsertRowid),
    id,
    isNew: true,
    namer: undefined,
    refusesUnnamed: false,
    rows: new Map(),
  };
}

const STATE =
  "span_id, parent_id, exec_no, unnamed, ins_seq, seq, phase, revision, start_ms, start_ns, end_ms, end_ns, is_error, " +
  "node_no, root_rank, root_status, counts, has_cache, bears, below, sub";
const ONE = `SELECT ${STATE} FROM span WHERE trace_no = ? AND span_id = ?`;

/** The row of a span as the batch sees it; `undefined` when there is none. */
export function loadRow(db: Connection, trace: TraceRow, spanId: string): SpanRow | undefined {
  const { rows } = trace;
  const known = rows.get(spanId);
  if (known !== undefined || rows.has(spanId)) return known;
  const found = trace.isNew ? undefined : db.statement(ONE).get(trace.no, spanId);
  const row = found === undefined ? undefined : toRow(trace, found);
  rows.set(spanId, row);
  return row;
}

/** Brings rows of the trace into the batch. `where` is ours, never a caller's; it may use indexes of `span`. */
export function loadRows(db: Connection, trace: TraceRow, where: string): void {
  if (trace.isNew) return;
  const sql = `SELECT ${STATE} FROM span WHERE trace_no = ? AND ${where}`;
  for (const found of db.statement(sql).all(trace.no)) {
    const row = toRow(trace, found);
    if (trace.rows.get(row.spanId) === undefined) trace.rows.set(row.spanId, row);
  }
}

/** A row that the batch brings. Its execution and node are set by whoever names them. */
export function newRow(trace: TraceRow, record: SpanRecord): SpanRow {
  const now: SpanState = {
    ...factsOf(record),
    exec: 0,
    unnamed: record.executionId === trace.id ? 1 : 0,
    insSeq: 0,
    seq: 0,
    node: 0,
    below: 0,
    sub: 0,
  };
  const row: SpanRow = {
    trace,
    spanId: record.spanId,
    before: undefined,
    now,
    record,
    replaced: undefined,
    saved: false,
  };
  trace.rows.set(record.spanId, row);
  return row;
}

/** Lets `record` take the place of the stored one. */
export function replaceRecord(db: Connection, row: SpanRow, record: SpanRecord): void {
  if (row.before?.counts === 1) row.replaced = storedSkeleton(db, row);
  const { exec, insSeq, seq, node, below, sub } = row.now;
  const unnamed = record.executionId === row.trace.id ? 1 : 0;
  row.now = { ...factsOf(record), exec, unnamed, insSeq, seq, node, below, sub };
  row.record = record;
}

const INSERT = `INSERT INTO span (trace_no, ${STATE}, skeleton, rest) VALUES (${Array(24).fill("?").join(", ")})`;
const UPDATE = `UPDATE span SET ${STATE.split(", ")
  .slice(1)
  .map((column) => `${column} = ?`)
  .join(", ")}`;
const UPDATE_RECORD = `${UPDATE}, skeleton = ?, rest = ? WHERE trace_no = ? AND span_id = ?`;
const UPDATE_STATE = `${UPDATE} WHERE trace_no = ? AND span_id = ?`;
const UPDATE_BITS = "UPDATE span SET below = ?, sub = ? WHERE trace_no = ? AND span_id = ?";

/** Writes what changed of the row, after `now` was settled. */
export function saveRow(db: Connection, row: SpanRow): void {
  const { trace, spanId, before, now, record } = row;
  const { parentId, exec, unnamed, insSeq, seq, phase, revision, startMs, startNs, endMs, endNs, isError } =
    now;
  const { node, rootRank, rootStatus, counts, hasCache, bears, below, sub } = now;
  if (row.saved || (before?.exec === exec && before.seq === seq)) {
    db.statement(UPDATE_BITS).run(below, sub, trace.no, spanId);
  } else if (before === undefined) {
    const { skeleton, rest } = encodeRecord(record as SpanRecord);
    db.statement(INSERT).run(
      ...[
        trace.no,
        spanId,
        parentId,
        exec,
        unnamed,
        insSeq,
        seq,
        phase,
        revision,
        startMs,
        startNs,
        endMs,
        endNs,
      ],
      ...[isError, node, rootRank, rootStatus, counts, hasCache, bears, below, sub, skeleton, rest],
    );
  } else {
    const state = [
      ...[parentId, exec, unnamed, insSeq, seq, phase, revision, startMs, startNs, endMs, endNs],
      ...[isError, node, rootRank, rootStatus, counts, hasCache, bears, below, sub],
    ];
    if (record === undefined) db.statement(UPDATE_STATE).run(...state, trace.no, spanId);
    else {
      const { skeleton, rest } = encodeRecord(record);
      db.statement(UPDATE_RECORD).run(...state, skeleton, rest, trace.no, spanId);
    }
  }
  row.saved = true;
}

/** What the stored record of a row says in tree and totals. */
function storedSkeleton(db: Connection, row: SpanRow): StoredSkeleton {
  const found = db
    .statement("SELECT skeleton FROM span WHERE trace_no = ? AND span_id = ?")
    .get(row.trace.no, row.spanId) as [string];
  return parseSkeleton(found[0]);
}

/** What of the row counted before the batch, or counts now. */
export function countedOf(db: Connection, row: SpanRow, when: "before" | "now"): StoredSkeleton {
  if (when === "before") return row.replaced ?? storedSkeleton(db, row);
  return row.record ?? storedSkeleton(db, row);
}

/** The stored texts of a row's record. */
export function storedTexts(db: Connection, row: SpanRow): { skeleton: string; rest: string } {
  const [skeleton, rest] = db
    .statement("SELECT skeleton, rest FROM span WHERE trace_no = ? AND span_id = ?")
    .get(row.trace.no, row.spanId) as [string, string];
  return { skeleton, rest };
}

/** The record that its texts make, as it was written under `executionId`. */
export function decodeRecord(
  executionId: string,
  { skeleton, rest }: { skeleton: string; rest: string },
): SpanRecord {
  return JSON.parse(recordJson(JSON.stringify(executionId), skeleton, rest)) as SpanRecord;
}

type Columns = [
  string,
  string | null,
  ...[number, number, number, number, number, number, number, number],
  ...[
    number | null,
    number | null,
    number,
    number,
    number | null,
    number | null,
    number,
    number,
    number,
    number,
    number,
  ],
];

function toRow(trace: TraceRow, found: unknown): SpanRow {
  const [spanId, parentId, exec, unnamed, insSeq, seq, phase, revision, startMs, startNs, ...more] =
    found as Columns;
  const [endMs, endNs, isError, node, rootRank, rootStatus, counts, hasCache, bears, below, sub] = more;
  const before: SpanState = {
    ...{ parentId, exec, unnamed, insSeq, seq, phase, revision, startMs, startNs, endMs, endNs, isError },
    ...{ node, rootRank, rootStatus, counts, hasCache, bears, below, sub },
  };
  return {
    trace,
    spanId,
    before,
    now: { ...before },
    record: undefined,
    replaced: undefined,
    saved: false,
  };
}
