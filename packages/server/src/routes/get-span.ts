import { withoutContent } from "@spanloom/model";
import { wireSpan } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { notFound } from "../problems.ts";
import { respondJson } from "../respond.ts";

/** One span with all of its content that the caller may see. `trace_id` picks one of two with the same id. */
export async function getSpan(call: Call): Promise<Response> {
  const { execution_id = "", span_id = "" } = call.params;
  const span = await call.store.getSpan(execution_id, span_id, call.query.trace_id);
  if (span === undefined) throw notFound();
  return respondJson(call, wireSpan.encode(call.grant.content ? span : withoutContent(span)));
}
