import { createSpanSearch } from "@spanloom/metrics";
import {
  decodeCursor,
  encodeCursor,
  invalidCursor,
  type ScopedStore,
  SEARCH_PLACES,
  type SearchSpansQuery,
  type SpanMatches,
} from "@spanloom/model";
import { withoutContent } from "./visible-content.ts";

/** Pages of the trace that one request looks through; the cursor goes on from there. */
const MOST_PAGES = 4;
const PAGE_SPANS = 500;

/**
 * The search for callers who may not see content: it looks through spans as these callers see them. A search of the
 * store, filtered afterwards, would tell by its cursors and by empty pages that there was something to hide.
 */
export async function searchVisible(
  store: Pick<ScopedStore, "getTrace">,
  executionId: string,
  query: SearchSpansQuery,
): Promise<SpanMatches | undefined> {
  const places = (query.places ?? SEARCH_PLACES).filter((place) => place !== "content");
  // A search of content alone finds nothing, but whether the execution is there is answered as ever.
  const search = places.length === 0 ? () => [] : createSpanSearch({ text: query.text, places });
  const mark = JSON.stringify([executionId, query.text, places]);
  const from = query.cursor === undefined ? undefined : readCursor(query.cursor, mark);
  const limit = query.limit ?? 200;
  const matches: SpanMatches = { items: [], asOfSeq: from?.seq ?? 0, contentWithheld: true };
  let cursor = from?.page;
  let skip = from?.skip ?? 0;
  for (let pages = 0; ; pages++) {
    const page = await store.getTrace(executionId, {
      view: "full",
      limit: places.length === 0 ? 1 : PAGE_SPANS,
      ...(cursor !== undefined && { cursor }),
      ...(cursor === undefined && from !== undefined && { asOfSeq: from.seq }),
    });
    if (page === undefined) return undefined;
    matches.asOfSeq = page.asOfSeq;
    if (places.length === 0) return matches;
    for (const [index, span] of page.spans.entries()) {
      if (index < skip) continue;
      if (matches.items.length === limit || pages === MOST_PAGES) {
        return { ...matches, nextCursor: encodeCursor([mark, page.asOfSeq, cursor ?? null, index]) };
      }
      const hits = search(withoutContent(span));
      if (hits.length > 0) matches.items.push({ traceId: span.traceId, spanId: span.spanId, hits });
    }
    if (page.nextCursor === undefined) return matches;
    cursor = page.nextCursor;
    skip = 0;
  }
}

function readCursor(cursor: string, mark: string): { seq: number; page: string | undefined; skip: number } {
  const position = decodeCursor(cursor);
  if (!Array.isArray(position) || position.length !== 4) throw invalidCursor();
  const [found, seq, page, skip] = position;
  const counts = [seq, skip].every((count) => Number.isSafeInteger(count) && Number(count) >= 0);
  if (found !== mark || !counts || (page !== null && typeof page !== "string")) throw invalidCursor();
  return { seq: Number(seq), page: page ?? undefined, skip: Number(skip) };
}
