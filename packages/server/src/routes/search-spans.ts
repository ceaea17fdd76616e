import { readSearchSpans, wireSpanMatches } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { notFound } from "../problems.ts";
import { respondJson } from "../respond.ts";
import { searchVisible } from "../search-visible.ts";

/** Spans in which a text stands. For callers who may not see content only what they can see is looked at. */
export async function searchSpans(call: Call): Promise<Response> {
  const executionId = call.params.execution_id ?? "";
  const query = readSearchSpans(call.query);
  const matches = call.grant.content
    ? await call.store.searchSpans(executionId, query)
    : await searchVisible(call.store, executionId, query);
  if (matches === undefined) throw notFound();
  return respondJson(call, wireSpanMatches.encode(matches));
}
