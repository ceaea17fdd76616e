import {
  canonicalJson,
  compareRecords,
  type RejectedSpan,
  recordProblem,
  type SpanRecord,
  type WriteReceipt,
} from "@spanloom/model";
import { isPlainRecord } from "../../sql/plain-record.ts";
import { encodeRecord, factsOf, textProblem } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import { type Counting, countBits, countChange } from "./count-changes.ts";
import { createExecutions, type Executions } from "./executions.ts";
import { nameSpans } from "./late-names.ts";
import { createLeafBits } from "./leaf-bits.ts";
import { DIM, type Names } from "./names.ts";
import { isPast, joinPast } from "./past-retention.ts";
import { readMarks } from "./retention-marks.ts";
import { settleExecutions } from "./settle-executions.ts";
import {
  decodeRecord,
  findTrace,
  insertTrace,
  loadRow,
  newRow,
  replaceRecord,
  type SpanRow,
  saveRow,
  storedTexts,
  type TraceRow,
} from "./span-rows.ts";

export interface WriteOutcome {
  receipt: WriteReceipt;
  /** Executions that are not as they were. */
  changed: string[];
}

/** Stores records and corrects every sum by what they change. Inside one transaction. */
export function writeSpans(
  db: Connection,
  names: Names,
  scope: string,
  records: readonly unknown[],
): WriteOutcome {
  const receipt: WriteReceipt = { written: 0, unchanged: 0, rejected: [] };
  const scopeNo = names.scope(scope);
  const executions = createExecutions(db, scopeNo);
  const traces = new Map<string, TraceRow>();
  const brought = new Set<SpanRow>();
  const { watermark } = readMarks(db, scopeNo);
  const past: { index: number; record: SpanRecord }[] = [];
  records.forEach((given, index) => {
    const record = admit(given);
    if ("code" in record) receipt.rejected.push({ index, ...record });
    else if (watermark !== undefined && isPast(record, watermark)) past.push({ index, record });
    else put(index, record);
  });
  if (past.length > 0) {
    const known = { db, executions, findTrace: peekTrace };
    for (const { index, record } of joinPast(known, brought, past, (item) => put(item.index, item.record))) {
      receipt.rejected.push({ index, ...(refuse(record, peekTrace(record.traceId)) ?? PAST) });
    }
    receipt.rejected.sort((a, b) => a.index - b.index);
  }

  function put(index: number, record: SpanRecord): void {
    const rejected = refuse(record, traceOf(record.traceId));
    if (rejected !== undefined) receipt.rejected.push({ index, ...rejected });
    else if (take(record)) receipt.written++;
    else receipt.unchanged++;
  }

  function refuse(record: SpanRecord, trace: TraceRow | undefined): Rejection | undefined {
    const unnamed = record.executionId === record.traceId;
    if (unnamed && !trace?.refusesUnnamed && trace?.isNew) return undefined;
    const refused = (unnamed && trace?.refusesUnnamed) || executions.byId(record.executionId).deleted;
    return refused ? DELETED : undefined;
  }

  /** True when the record takes the place of what was there. */
  function take(record: SpanRecord): boolean {
    const trace = traceOf(record.traceId);
    let row = loadRow(db, trace, record.spanId);
    if (row === undefined) row = newRow(trace, record);
    else if (!wins(db, executions, record, row)) return false;
    else replaceRecord(db, row, record);
    row.now.node = names.dim(scopeNo, DIM.node, record.nodeId);
    if (row.now.unnamed === 0) row.now.exec = executions.byId(record.executionId).no;
    brought.add(row);
    return true;
  }

  function traceOf(id: string): TraceRow {
    let trace = traces.get(id);
    if (trace === undefined) {
      trace = findTrace(db, scopeNo, id) ?? insertTrace(db, scopeNo, id);
      traces.set(id, trace);
    }
    return trace;
  }

  /** Makes none, so that what is refused leaves nothing behind. */
  function peekTrace(id: string): TraceRow | undefined {
    const trace = traces.get(id) ?? findTrace(db, scopeNo, id);
    if (trace !== undefined) traces.set(id, trace);
    return trace;
  }

  const rows = [...brought];
  const counting: Counting = { db, names, scopeNo, executions };
  nameSpans(db, executions, rows);
  const bits = createLeafBits(db);
  bits.gain(rows);
  saveRows(db, executions, traces.values());
  bits.lose();
  countRows(counting, traces.values());
  const byNo = new Map(Array.from(traces.values(), (trace) => [trace.no, trace]));
  const changed = settleExecutions(
    counting,
    (traceNo, spanId) => byNo.get(traceNo)?.rows.get(spanId)?.record,
  );
  return { receipt, changed };
}

/** Writes every row of a batch that is not as it was; each has its own place in its execution's feed. */
export function saveRows(db: Connection, executions: Executions, traces: Iterable<TraceRow>): void {
  for (const trace of traces) {
    for (const row of trace.rows.values()) {
      if (row === undefined) continue;
      const { before, now } = row;
      const arrives = before?.exec !== now.exec;
      if (row.record !== undefined || arrives) {
        if (before !== undefined && arrives) leave(db, executions, trace, row.spanId, before.exec);
        const to = executions.byNo(now.exec);
        to.seq++;
        now.seq = to.seq;
        if (arrives) {
          now.insSeq = to.seq;
          if (to.gone > 0 && forget(db, to.no, trace.no, row.spanId)) to.gone--;
        }
        saveRow(db, row);
      } else if (before?.below !== now.below) saveRow(db, row);
    }
  }
}

/** Adds to the executions what the rows of a batch changed. */
export function countRows(counting: Counting, traces: Iterable<TraceRow>): void {
  for (const trace of traces) {
    for (const row of trace.rows.values()) {
      if (!row?.saved) continue;
      if (row.record !== undefined || row.before?.exec !== row.now.exec) countChange(counting, row);
      else if (row.before?.below !== row.now.below) countBits(counting, row);
    }
  }
}

type Rejection = Omit<RejectedSpan, "index">;

const DELETED: Rejection = {
  code: "deleted_execution",
  message: "executionId: this execution was deleted; late spans are refused",
};

const PAST: Rejection = {
  code: "past_retention",
  message: "startTime: retention has removed executions of that time, and this span's is not there",
};

function admit(given: unknown): SpanRecord | Rejection {
  try {
    const problem = isPlainRecord(given) ? undefined : recordProblem(given);
    if (problem !== undefined) return { code: "invalid_record", message: problem };
  } catch {
    return { code: "invalid_record", message: "record: cannot be read" };
  }
  const record = given as SpanRecord;
  const problem = textProblem(record);
  return problem === undefined ? record : { code: "invalid_record", message: problem };
}

/** Whether the record beats what the batch or the file holds, by `compareRecords`. */
function wins(db: Connection, executions: Executions, record: SpanRecord, row: SpanRow): boolean {
  if (row.record !== undefined) return compareRecords(record, row.record) > 0;
  const { now, trace } = row;
  const { phase, revision } = factsOf(record);
  const byRank = phase - now.phase || revision - now.revision;
  if (byRank !== 0) return byRank > 0;
  const texts = storedTexts(db, row);
  const executionId = now.unnamed === 1 ? trace.id : executions.byNo(now.exec).id;
  const encoded = encodeRecord(record);
  const same = record.executionId === executionId;
  if (same && encoded.skeleton === texts.skeleton && encoded.rest === texts.rest) return false;
  return canonicalJson(record) > canonicalJson(decodeRecord(executionId, texts));
}

/** Tells the feed of the execution that a span left that it is no longer there. */
function leave(
  db: Connection,
  executions: Executions,
  trace: TraceRow,
  spanId: string,
  execNo: number,
): void {
  const from = executions.byNo(execNo);
  from.seq++;
  from.gone++;
  db.statement("INSERT INTO span_gone (exec_no, trace_no, span_id, seq) VALUES (?, ?, ?, ?)").run(
    ...[execNo, trace.no, spanId, from.seq],
  );
}

/** A span that comes back is no longer gone. */
function forget(db: Connection, execNo: number, traceNo: number, spanId: string): boolean {
  const found = db
    .statement("DELETE FROM span_gone WHERE exec_no = ? AND trace_no = ? AND span_id = ? RETURNING seq")
    .get(execNo, traceNo, spanId);
  return found !== undefined;
}
