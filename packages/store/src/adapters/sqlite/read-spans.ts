import {
  type ExecutionSummary,
  type GetTraceQuery,
  invalidCursor,
  type SearchSpansQuery,
  type SpanMatches,
} from "@spanloom/model";
import { checkOneOf, checkWhole } from "../../check-arguments.ts";
import { fingerprintOf } from "../../list-query.ts";
import { createPageRoom } from "../../page-room.ts";
import { recordJson, skeletonJson } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";
import { findExecution } from "./read-summaries.ts";
import { createSearch } from "./search-spans.ts";
import { spansAt } from "./spans-at.ts";
import { readTraceCursor, resume, traceCursor } from "./trace-cursor.ts";
import { type Place, readOrder } from "./trace-order.ts";

/**
 * Spans leave the engine as JSON text, put together from what is stored: they are parsed once, by whoever shows them,
 * and a skeleton never reads its payload.
 */
export interface TracePageText {
  execution: ExecutionSummary;
  /** Each as JSON. */
  spans: string[];
  asOfSeq: number;
  spanCount: number;
  nextCursor?: string;
}

export interface TraceChangesText {
  execution: ExecutionSummary;
  /** Skeletons, each as JSON. */
  spans: string[];
  removed: { traceId: string; spanId: string }[];
  seq: number;
  more: boolean;
}

/** Reads of spans; keeps the orders of executions that are being paged through. */
export interface SpanReader {
  page(scope: string, executionId: string, query: GetTraceQuery): TracePageText | undefined;
  one(scope: string, executionId: string, spanId: string, traceId: string | undefined): string | undefined;
  changes(scope: string, executionId: string, since: number, limit: number): TraceChangesText | undefined;
  search(scope: string, executionId: string, query: SearchSpansQuery): SpanMatches | undefined;
}

/** Orders of executions that are being paged through. They can be made again, as long as no span moves or goes away. */
const KEPT_ORDERS = 8;

export function createSpanReader(db: Connection, names: Names): SpanReader {
  const orders = new Map<string, Place[]>();
  const orderOf = (execNo: number, asOfSeq: number): Place[] => {
    const key = `${execNo}@${asOfSeq}`;
    const order = orders.get(key) ?? readOrder(db, execNo, asOfSeq);
    orders.delete(key);
    orders.set(key, order);
    for (const oldest of orders.keys()) {
      if (orders.size <= KEPT_ORDERS) break;
      orders.delete(oldest);
    }
    return order;
  };

  return {
    page: (scope, executionId, query) => {
      const view = checkOneOf(query.view, "view", ["skeleton", "full"] as const, "skeleton");
      const fallback = view === "full" ? 500 : 10_000;
      const limit = checkWhole(query.limit, "limit", { least: 1, most: 10_000, fallback });
      const asked = checkWhole(query.asOfSeq, "asOfSeq", { fallback: Number.MAX_SAFE_INTEGER });
      const mark = fingerprintOf([executionId]);
      const from = query.cursor === undefined ? undefined : readTraceCursor(query.cursor, mark);
      if (from !== undefined && query.asOfSeq !== undefined && from.seq !== query.asOfSeq)
        throw invalidCursor();
      const found = findExecution(db, names.findScope(scope), executionId);
      if (found === undefined || found.hidden) return undefined;
      const asOfSeq = Math.min(from?.seq ?? asked, found.summary.seq);
      const order = orderOf(found.no, asOfSeq);
      const start = from === undefined ? 0 : resume(order, from);
      const page = readPage(db, found.no, executionId, order, start, limit, view);
      const last = order[page.end - 1];
      return {
        execution: found.summary,
        spans: page.spans,
        asOfSeq,
        spanCount: order.length,
        ...(page.end < order.length &&
          last !== undefined && {
            nextCursor: traceCursor(mark, { seq: asOfSeq, index: page.end, spanId: last[1] }),
          }),
      };
    },
    one: (scope, executionId, spanId, traceId) => {
      const found = findExecution(db, names.findScope(scope), executionId);
      if (found === undefined || found.hidden) return undefined;
      const rows = db
        .statement(
          `SELECT t.trace_id, s.skeleton, s.rest FROM exec_trace e CROSS JOIN span s ON s.trace_no = e.trace_no
           JOIN trace t ON t.trace_no = e.trace_no WHERE e.exec_no = ? AND s.span_id = ? AND s.exec_no = e.exec_no`,
        )
        .all(found.no, spanId) as [string, string, string][];
      const wanted = traceId === undefined ? found.summary.traceIds : [traceId];
      for (const id of wanted) {
        const row = rows.find(([trace]) => trace === id);
        if (row !== undefined) return recordJson(JSON.stringify(executionId), row[1], row[2]);
      }
      return undefined;
    },
    changes: (scope, executionId, since, limit) => {
      const found = findExecution(db, names.findScope(scope), executionId);
      if (found === undefined) return undefined;
      const { no, hidden, summary } = found;
      // An execution that vanished or was deleted still tells those who followed it what went away.
      if (hidden && (since === 0 || since >= summary.seq)) return undefined;
      return readChanges(db, no, summary, since, limit);
    },
    search: (scope, executionId, query) => {
      const { asOfSeq: asked, page } = createSearch(db, executionId, query);
      const found = findExecution(db, names.findScope(scope), executionId);
      if (found === undefined || found.hidden) return undefined;
      const asOfSeq = Math.min(asked ?? found.summary.seq, found.summary.seq);
      return page(found, orderOf(found.no, asOfSeq), asOfSeq);
    },
  };
}

/** Goes on until the page is full: spans that moved or went away since the order was made are passed over. */
function readPage(
  db: Connection,
  execNo: number,
  executionId: string,
  order: readonly Place[],
  start: number,
  limit: number,
  view: "skeleton" | "full",
): { spans: string[]; end: number } {
  const id = JSON.stringify(executionId);
  const texts: string[] = [];
  const fits = createPageRoom();
  for (const [index, skeleton, rest] of spansAt(db, execNo, order, start, view)) {
    const text = view === "full" ? recordJson(id, skeleton, rest) : skeletonJson(id, skeleton);
    if (texts.length === limit || !fits(text.length)) return { spans: texts, end: index };
    texts.push(text);
  }
  return { spans: texts, end: order.length };
}

/** Of spans only what the index holds: each skeleton is read when its turn comes, as long as the answer has room. */
const CHANGES = `SELECT seq, rowid, NULL, NULL FROM span WHERE exec_no = ? AND seq > ?
  UNION ALL SELECT seq, NULL, trace_no, span_id FROM span_gone WHERE exec_no = ? AND seq > ?
  ORDER BY seq LIMIT ?`;

type Change = [seq: number, row: number, traceNo: null, spanId: null] | Gone;
type Gone = [seq: number, row: null, traceNo: number, spanId: string];

function readChanges(
  db: Connection,
  execNo: number,
  execution: ExecutionSummary,
  since: number,
  limit: number,
): TraceChangesText {
  const found = db.statement(CHANGES).all(execNo, since, execNo, since, limit + 1) as Change[];
  const one = db.statement("SELECT skeleton FROM span WHERE rowid = ?");
  const id = JSON.stringify(execution.executionId);
  const texts: string[] = [];
  const removed: TraceChangesText["removed"] = [];
  const fits = createPageRoom();
  let seq = since;
  for (const [at, row, traceNo, spanId] of found.slice(0, limit)) {
    if (row === null) removed.push({ traceId: traceIdOf(db, traceNo), spanId });
    else {
      const text = skeletonJson(id, (one.get(row) as [string])[0]);
      if (!fits(text.length)) break;
      texts.push(text);
    }
    seq = at;
  }
  const more = texts.length + removed.length < found.length;
  return { execution, spans: texts, removed, seq: more ? seq : execution.seq, more };
}

function traceIdOf(db: Connection, traceNo: number): string {
  return (db.statement("SELECT trace_id FROM trace WHERE trace_no = ?").get(traceNo) as [string])[0];
}
