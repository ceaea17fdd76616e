import { createSpanSearch } from "@spanloom/metrics";
import {
  SEARCH_PLACES,
  type SearchSpansQuery,
  type SpanMatch,
  type SpanMatches,
  type SpanRecord,
} from "@spanloom/model";
import { checkWhole } from "../../check-arguments.ts";
import { fingerprintOf } from "../../list-query.ts";
import { recordJson } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import { NO_PAYLOAD } from "./read-metrics.ts";
import type { FoundExecution } from "./read-summaries.ts";
import { spansAt } from "./spans-at.ts";
import { readTraceCursor, resume, traceCursor } from "./trace-cursor.ts";
import type { Place } from "./trace-order.ts";

/** A page ends after so long, however few matches it has: others wait for the engine meanwhile. */
const PAGE_MS = 30;
/** Spans that a page looks at in any case: on a busy machine, too, a search gets on, and a small one is done at once. */
const LEAST_SPANS = 32;

export interface SpanSearch {
  /** The commit at which the cursor's pages look; absent on the first. */
  asOfSeq: number | undefined;
  page(execution: FoundExecution, order: readonly Place[], asOfSeq: number): SpanMatches;
}

/** Throws `invalid_argument` and `invalid_cursor`. */
export function createSearch(db: Connection, executionId: string, query: SearchSpansQuery): SpanSearch {
  const search = createSpanSearch(query);
  const limit = checkWhole(query.limit, "limit", { least: 1, most: 1000, fallback: 200 });
  const places = query.places ?? SEARCH_PLACES;
  const mark = fingerprintOf([
    executionId,
    query.text,
    ...SEARCH_PLACES.filter((place) => places.includes(place)),
  ]);
  const from = query.cursor === undefined ? undefined : readTraceCursor(query.cursor, mark);
  const maybe = prefilterOf(query.text);
  const namesOnly = places.every((place) => place === "name");
  return {
    asOfSeq: from?.seq,
    page: ({ no }, order, asOfSeq) => {
      const items: SpanMatch[] = [];
      const id = JSON.stringify(executionId);
      const deadline = performance.now() + PAGE_MS;
      const start = from === undefined ? 0 : resume(order, from);
      const isOver = (index: number): boolean =>
        items.length === limit || (index - start >= LEAST_SPANS && performance.now() >= deadline);
      for (const [index, skeleton, rest] of spansAt(db, no, order, start, namesOnly ? "skeleton" : "full")) {
        if (isOver(index)) {
          const [, spanId] = order[index - 1] as Place;
          return { items, asOfSeq, nextCursor: traceCursor(mark, { seq: asOfSeq, index, spanId }) };
        }
        if (!maybe(skeleton) && !maybe(rest)) continue;
        const record = namesOnly
          ? { ...(JSON.parse(skeleton) as SpanRecord), ...NO_PAYLOAD }
          : (JSON.parse(recordJson(id, skeleton, rest)) as SpanRecord);
        const hits = search(record);
        if (hits.length > 0) items.push({ traceId: record.traceId, spanId: record.spanId, hits });
      }
      return { items, asOfSeq };
    },
  };
}

/** What JSON writes differently than it reads, and a letter whose small form depends on its neighbours. */
const UNSAFE = /["\\\p{Cc}\p{Surrogate}Σσς]/u;
/** Attributes that are shown otherwise than they stand in JSON. */
const CODED = /"\$(?:double|bytes)"/;

/**
 * Whether a span may hold the text, by the JSON that is stored: looking through it takes a tenth of what reading it does.
 * Never says no where the text stands in a key or a value.
 */
function prefilterOf(text: string): (json: string) => boolean {
  if (UNSAFE.test(text)) return () => true;
  const wanted = text.toLowerCase();
  return (json) => json.toLowerCase().includes(wanted) || CODED.test(json);
}
