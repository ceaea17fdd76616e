import {
  encodeCursor,
  invalidCursor,
  SEARCH_PLACES,
  type SearchHit,
  type SearchSpansQuery,
  type SpanMatch,
  type SpanMatches,
} from "@spanloom/model";
import { checkWhole } from "../check-arguments.ts";
import { fingerprintOf } from "../list-query.ts";
import type { SpanRef } from "./changes.ts";
import type { FeedEntry } from "./feed.ts";
import type { HeldExecution } from "./held-execution.ts";
import { keyOf, readPosition, resume, type TracePages } from "./pages.ts";

/** Records that are fetched and looked through at once, and in one page: others wait meanwhile. */
const CHUNK = 200;
const PAGE = 5000;

/**
 * One page of a search in the making. `next` names spans to look at; `add` is called for each of them in that order with
 * what was found; when `next` names none any more, the page is full or the trace at its end.
 */
export class SearchDraft {
  private readonly order: readonly FeedEntry[];
  private readonly asOfSeq: number;
  private readonly limit: number;
  private readonly mark: string;
  private readonly items: SpanMatch[] = [];
  private index: number;
  private looked = 0;
  private chunk: FeedEntry[] = [];
  private added = 0;

  /** Throws `invalid_argument` and `invalid_cursor`. */
  constructor(pages: TracePages, execution: HeldExecution, query: SearchSpansQuery) {
    const { text, places = SEARCH_PLACES, cursor } = query;
    this.limit = checkWhole(query.limit, "limit", { least: 1, most: 1000, fallback: 200 });
    this.mark = fingerprintOf([
      execution.executionId,
      text,
      SEARCH_PLACES.filter((place) => places.includes(place)),
    ]);
    const from = cursor === undefined ? undefined : readPosition(cursor, this.mark);
    if (from !== undefined && from.seq > execution.seq) throw invalidCursor();
    this.asOfSeq = from?.seq ?? execution.seq;
    this.order = pages.order(execution, this.asOfSeq);
    this.index = from === undefined ? 0 : resume(this.order, from);
  }

  next(): readonly SpanRef[] {
    this.chunk = [];
    this.added = 0;
    if (this.items.length >= this.limit || this.looked >= PAGE) return [];
    for (let at = this.index; at < this.order.length && this.chunk.length < CHUNK; at++) {
      const entry = this.order[at] as FeedEntry;
      if (entry.span !== undefined) this.chunk.push(entry);
    }
    return this.chunk;
  }

  /** Takes what the next span of the chunk shows; once the page is full it takes none. */
  add(hits: SearchHit[]): void {
    const entry = this.chunk[this.added++];
    if (entry === undefined || this.items.length >= this.limit) return;
    this.looked++;
    if (hits.length > 0) this.items.push({ traceId: entry.traceId, spanId: entry.spanId, hits });
    this.index = this.order.indexOf(entry, this.index) + 1;
  }

  finish(): SpanMatches {
    const { order, index, asOfSeq, mark, items } = this;
    const last = order[index - 1];
    let more = false;
    for (let at = index; !more && at < order.length; at++) more = order[at]?.span !== undefined;
    return {
      items,
      asOfSeq,
      ...(more && {
        nextCursor: encodeCursor([mark, asOfSeq, index, last === undefined ? "" : keyOf(last)]),
      }),
    };
  }
}
