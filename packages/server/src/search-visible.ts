import { searchTrace } from "@spanloom/metrics";
import {
  type ScopedStore,
  SEARCH_PLACES,
  type SearchSpansQuery,
  type SpanMatches,
  withoutContent,
} from "@spanloom/model";

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
  if (places.length > 0) {
    const matches = await searchTrace(store, executionId, { ...query, places }, withoutContent);
    return matches && { ...matches, contentWithheld: true };
  }
  // A search of content alone finds nothing, but whether the execution is there is answered as ever.
  const page = await store.getTrace(executionId, { limit: 1 });
  return page && { items: [], asOfSeq: page.asOfSeq, contentWithheld: true };
}
