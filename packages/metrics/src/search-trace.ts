import {
  decodeCursor,
  encodeCursor,
  invalidCursor,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
  type TraceReader,
} from "@spanloom/model";
import { createSpanSearch } from "./search-span.ts";

/** Spans that one call looks through, about; the cursor goes on from there. */
const MOST_SPANS = 2_000;
/** How many spans are read at once. The page in which a call ends is read again by the next: few where it wants few. */
const LEAST_PAGE = 50;
const LARGEST_PAGE = 500;

/**
 * Searches an execution page by page, as somebody sees its spans: for readers that show other spans than their store
 * searches. Throws `invalid_argument` and `invalid_cursor`.
 *
 * @param see The span as it is looked at; what is not in it can be found by nothing, not even by how pages end.
 */
export async function searchTrace(
  reader: Pick<TraceReader, "getTrace">,
  executionId: string,
  query: SearchSpansQuery,
  see: (span: SpanRecord) => SpanRecord = (span) => span,
): Promise<SpanMatches | undefined> {
  const search = createSpanSearch(query);
  const mark = JSON.stringify([executionId, query.text, query.places ?? null]);
  const from = query.cursor === undefined ? undefined : readCursor(query.cursor, mark);
  const limit = query.limit ?? 200;
  const pageSpans = Math.min(LARGEST_PAGE, Math.max(LEAST_PAGE, limit * 4));
  const matches: SpanMatches = { items: [], asOfSeq: from?.seq ?? 0 };
  let cursor = from?.page;
  let skip = from?.skip ?? 0;
  for (let looked = 0; ; ) {
    const page = await reader.getTrace(executionId, {
      view: "full",
      limit: pageSpans,
      ...(cursor !== undefined && { cursor }),
      ...(cursor === undefined && from !== undefined && { asOfSeq: from.seq }),
    });
    if (page === undefined) return undefined;
    matches.asOfSeq = page.asOfSeq;
    for (const [index, span] of page.spans.entries()) {
      if (index < skip) continue;
      if (matches.items.length === limit || looked >= MOST_SPANS) {
        return { ...matches, nextCursor: encodeCursor([mark, page.asOfSeq, cursor ?? null, index]) };
      }
      looked++;
      const hits = search(see(span));
      if (hits.length > 0) matches.items.push({ traceId: span.traceId, spanId: span.spanId, hits });
    }
    if (page.nextCursor === undefined) return matches;
    cursor = page.nextCursor;
    // Pages are as large as their spans are now: what was looked at may have grown into the next one.
    skip = Math.max(0, skip - page.spans.length);
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
