import { createSpanSearch } from "@spanloom/metrics";
import {
  type ExecutionSummary,
  type GetTraceQuery,
  invalidCursor,
  SEARCH_PLACES,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
  type SpanSkeleton,
  type TraceChanges,
  type TracePage,
} from "@spanloom/model";
import { checkOneOf, checkWhole } from "../../check-arguments.ts";
import { fingerprintOf } from "../../list-query.ts";
import { decodePosition, encodePosition, type PagePosition, resumeAt } from "../../page-cursor.ts";
import { createPageRoom, MAX_PAGE_LENGTH } from "../../page-room.ts";
import { pageOrder } from "../../sql/page-order.ts";
import { recordJson, skeletonJson } from "../../sql/row-codec.ts";
import { arrayOf } from "./client.ts";
import type { Session } from "./database.ts";
import type { FoundExecution } from "./find-execution.ts";

/** Reads of spans; keeps the orders of executions that are being paged through. */
export interface SpanReader {
  /** Checks the query at once, then gives what reads the page. */
  page(
    executionId: string,
    query: GetTraceQuery,
  ): (session: Session, found: FoundExecution) => Promise<TracePage<SpanSkeleton>>;
  search(
    executionId: string,
    query: SearchSpansQuery,
  ): (session: Session, found: FoundExecution) => Promise<SpanMatches>;
  one(
    session: Session,
    found: FoundExecution,
    spanId: string,
    traceId: string | undefined,
  ): Promise<SpanRecord | undefined>;
  changes(session: Session, found: FoundExecution, since: number, limit: number): Promise<TraceChanges>;
}

/** A span's place in a pre-order, and how many characters of JSON it has. */
type Place = [
  ...[traceId: string, spanId: string, parentId: string | null, startMs: number, startNs: number],
  ...[skeletonLength: number, restLength: number],
];

type View = "skeleton" | "full";

/** Orders of executions that are being paged through. They can be made again, as long as no span moves or goes away. */
const KEPT_ORDERS = 64;
/** Places of all orders together. */
const KEPT_PLACES = 500_000;
/** A search looks through so many characters, then says where to go on. */
const SEARCHED_LENGTH = 2 * MAX_PAGE_LENGTH;
const SEARCHED_SPANS = 5_000;

export function createSpanReader(schema: string): SpanReader {
  const orders = new Map<string, Place[]>();
  let kept = 0;
  const orderOf = async (session: Session, execNo: number, asOfSeq: number): Promise<Place[]> => {
    const key = `${execNo}@${asOfSeq}`;
    const order = orders.get(key) ?? (await readOrder(session, execNo, asOfSeq));
    kept += orders.has(key) ? 0 : order.length;
    orders.delete(key);
    orders.set(key, order);
    for (const [oldest, { length }] of orders) {
      if (oldest === key || (orders.size <= KEPT_ORDERS && kept <= KEPT_PLACES)) break;
      orders.delete(oldest);
      kept -= length;
    }
    return order;
  };

  async function readOrder(session: Session, execNo: number, asOfSeq: number): Promise<Place[]> {
    const rows = await session.rows(
      `SELECT trace_id::text, span_id, parent_id, (start_time / 1000000)::float8, (start_time % 1000000)::int, skeleton_length, rest_length
       FROM ${schema}.span WHERE exec_no = $1 AND ins_seq <= $2`,
      execNo,
      asOfSeq,
    );
    return pageOrder(rows as Place[], (traceId: string) => traceId);
  }

  /** Rows of some places, in their order; those that moved or went away since are left out. */
  async function readPlaces(
    session: Session,
    { no, scopeNo }: FoundExecution,
    places: readonly Place[],
    view: View,
  ): Promise<[place: number, skeleton: string, rest: string | null][]> {
    const rest = view === "full" ? "coalesce(s.rest_text::text, s.rest::text)" : "NULL";
    const rows = await session.rows(
      `SELECT k.place::int, s.skeleton, s.rest
       FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k(trace_id, span_id, place)
       CROSS JOIN LATERAL (
         SELECT s.skeleton::text AS skeleton, ${rest} AS rest FROM ${schema}.span s
         WHERE s.scope_no = $3 AND s.trace_id = k.trace_id AND s.span_id = k.span_id AND s.exec_no = $4 OFFSET 0) s
       ORDER BY k.place`,
      arrayOf(places.map((place) => place[0])),
      arrayOf(places.map((place) => place[1])),
      scopeNo,
      no,
    );
    return rows as [number, string, string | null][];
  }

  return {
    page: (executionId, query) => {
      const view = checkOneOf(query.view, "view", ["skeleton", "full"] as const, "skeleton");
      const fallback = view === "full" ? 500 : 10_000;
      const limit = checkWhole(query.limit, "limit", { least: 1, most: 10_000, fallback });
      const asked = checkWhole(query.asOfSeq, "asOfSeq", { fallback: Number.MAX_SAFE_INTEGER });
      const mark = fingerprintOf([executionId]);
      const from = query.cursor === undefined ? undefined : decodePosition(query.cursor, mark);
      if (from !== undefined && query.asOfSeq !== undefined && from.seq !== query.asOfSeq)
        throw invalidCursor();
      return async (session, found) => {
        const asOfSeq = Math.min(from?.seq ?? asked, found.summary.seq);
        const order = await orderOf(session, found.no, asOfSeq);
        const id = JSON.stringify(executionId);
        const spans: SpanSkeleton[] = [];
        const fits = createPageRoom();
        let end = from === undefined ? 0 : resumeAt(order, from);
        // Goes on until the page is full: spans that moved or went away since the order was made are passed over.
        for (let full = false; !full && end < order.length && spans.length < limit; ) {
          const places = roomFor(order, end, limit - spans.length, view, MAX_PAGE_LENGTH);
          let passed = places.length;
          for (const [place, skeleton, rest] of await readPlaces(session, found, places, view)) {
            const text = rest === null ? skeletonJson(id, skeleton) : recordJson(id, skeleton, rest);
            full = !fits(text.length);
            if (full) {
              passed = place - 1;
              break;
            }
            spans.push(JSON.parse(text) as SpanSkeleton);
          }
          end += passed;
        }
        const last = order[end - 1];
        return {
          execution: found.summary,
          spans,
          asOfSeq,
          spanCount: order.length,
          ...(end < order.length &&
            last !== undefined && {
              nextCursor: encodePosition(mark, { seq: asOfSeq, index: end, spanId: last[1] }),
            }),
        };
      };
    },

    search: (executionId, query) => {
      const search = createSpanSearch(query);
      const limit = checkWhole(query.limit, "limit", { least: 1, most: 1000, fallback: 200 });
      const places = SEARCH_PLACES.filter((place) => query.places?.includes(place) ?? true);
      const mark = fingerprintOf([executionId, query.text, ...places]);
      const from: PagePosition | undefined =
        query.cursor === undefined ? undefined : decodePosition(query.cursor, mark);
      return async (session, found) => {
        const asOfSeq = Math.min(from?.seq ?? found.summary.seq, found.summary.seq);
        const order = await orderOf(session, found.no, asOfSeq);
        const id = JSON.stringify(executionId);
        const items: SpanMatches["items"] = [];
        let index = from === undefined ? 0 : resumeAt(order, from);
        let budget = SEARCHED_LENGTH;
        const least = index + SEARCHED_SPANS;
        while (index < order.length && items.length < limit && budget > 0 && index < least) {
          const looked = roomFor(order, index, 500, "full", SEARCHED_LENGTH / 8);
          let passed = looked.length;
          for (const [place, skeleton, rest] of await readPlaces(session, found, looked, "full")) {
            const text = rest === null ? skeletonJson(id, skeleton) : recordJson(id, skeleton, rest);
            budget -= text.length;
            const record = JSON.parse(text) as SpanRecord;
            const hits = search(record);
            if (hits.length === 0) continue;
            items.push({ traceId: record.traceId, spanId: record.spanId, hits });
            if (items.length < limit) continue;
            passed = place;
            break;
          }
          index += passed;
        }
        const last = order[index - 1];
        return {
          items,
          asOfSeq,
          ...(index < order.length &&
            last !== undefined && {
              nextCursor: encodePosition(mark, { seq: asOfSeq, index, spanId: last[1] }),
            }),
        };
      };
    },

    one: async (session, { no, scopeNo, summary }, spanId, traceId) => {
      if (!SPAN_ID.test(spanId)) return undefined;
      const rows = await session.rows(
        `SELECT e.trace_id::text, s.skeleton, s.rest FROM ${schema}.exec_trace e
         CROSS JOIN LATERAL (
           SELECT s.skeleton::text AS skeleton, coalesce(s.rest_text::text, s.rest::text) AS rest FROM ${schema}.span s
           WHERE s.scope_no = $1 AND s.trace_id = e.trace_id AND s.span_id = $2 AND s.exec_no = e.exec_no OFFSET 0) s
         WHERE e.exec_no = $3`,
        scopeNo,
        spanId,
        no,
      );
      const found = new Map(
        (rows as [string, string, string][]).map((row) => [row[0].replaceAll("-", ""), row]),
      );
      for (const wanted of traceId === undefined ? summary.traceIds : [traceId]) {
        const row = found.get(wanted);
        if (row === undefined) continue;
        return JSON.parse(recordJson(JSON.stringify(summary.executionId), row[1], row[2])) as SpanRecord;
      }
      return undefined;
    },

    changes: async (session, { no, summary }, since, limit) => {
      const marks = (await session.rows(
        `SELECT seq::float8, length FROM (
           (SELECT seq, skeleton_length AS length FROM ${schema}.span WHERE exec_no = $1 AND seq > $2 ORDER BY seq LIMIT $3)
           UNION ALL (SELECT seq, 0 FROM ${schema}.span_gone WHERE exec_no = $1 AND seq > $2 ORDER BY seq LIMIT $3)) AS changed
         ORDER BY seq LIMIT $3`,
        no,
        since,
        limit + 1,
      )) as [seq: number, length: number][];
      const until = lastThatFits(marks.slice(0, limit), summary.executionId.length);
      const rows = await session.rows(
        `SELECT seq::float8, skeleton::text, NULL, NULL FROM ${schema}.span WHERE exec_no = $1 AND seq > $2 AND seq <= $3
         UNION ALL SELECT seq::float8, NULL, trace_id::text, span_id FROM ${schema}.span_gone WHERE exec_no = $1 AND seq > $2 AND seq <= $3
         ORDER BY 1`,
        no,
        since,
        until ?? since,
      );
      return toChanges(
        rows as Change[],
        summary,
        until !== undefined && until !== marks.at(-1)?.[0] ? until : undefined,
      );
    },
  };
}

type Change = [seq: number, skeleton: string | null, traceId: string | null, spanId: string | null];

const SPAN_ID = /^[0-9a-f]{16}$/;
/** What an execution's id adds to a skeleton as it is stored, beside itself. */
const ID_LENGTH = 20;

/** @param until Where the answer was cut; absent where it is whole. */
function toChanges(
  rows: readonly Change[],
  execution: ExecutionSummary,
  until: number | undefined,
): TraceChanges {
  const id = JSON.stringify(execution.executionId);
  const changes: TraceChanges = {
    execution,
    spans: [],
    removed: [],
    seq: until ?? execution.seq,
    more: until !== undefined,
  };
  for (const [, skeleton, traceId, spanId] of rows) {
    if (skeleton !== null) changes.spans.push(JSON.parse(skeletonJson(id, skeleton)) as SpanSkeleton);
    else changes.removed.push({ traceId: (traceId ?? "").replaceAll("-", ""), spanId: spanId ?? "" });
  }
  return changes;
}

/** The `seq` up to which changes fit an answer; `undefined` where there are none. */
function lastThatFits(marks: readonly [seq: number, length: number][], idLength: number): number | undefined {
  const fits = createPageRoom();
  let until: number | undefined;
  for (const [seq, length] of marks) {
    // Every character of the id may be written as six.
    if (length > 0 && !fits(length + ID_LENGTH + 6 * idLength)) break;
    until = seq;
  }
  return until;
}

/** As many places from `start` on as may be read at once: at least one. */
function roomFor(order: readonly Place[], start: number, most: number, view: View, length: number): Place[] {
  const places: Place[] = [];
  let used = 0;
  for (let index = start; index < order.length && places.length < most; index++) {
    const place = order[index] as Place;
    used += place[5] + (view === "full" ? place[6] : 0);
    if (places.length > 0 && used > length) break;
    places.push(place);
  }
  return places;
}
