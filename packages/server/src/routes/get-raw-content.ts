import { SpanloomError } from "@spanloom/model";
import { wireRawContent } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { notFound, SECURITY_HEADERS } from "../problems.ts";

/**
 * What a span's contents were before redaction, from the vault, for callers with a permission of its own. The vault puts
 * the read on record before it gives anything.
 */
export async function getRawContent(call: Call): Promise<Response> {
  const { grant, settings, params } = call;
  if (grant.rawContent !== true)
    throw new SpanloomError("not_permitted", { what: "You may not see raw content." });
  const { execution_id = "", span_id = "" } = params;
  // What the store does not have (any more) is not given, whatever the vault still holds.
  const span = await call.store.getSpan(execution_id, span_id, call.query.trace_id);
  if (span === undefined || settings.vault === undefined) throw notFound();
  const { executionId, traceId, spanId } = span;
  const { scope, roles, subject } = grant;
  const address = { scope, executionId, traceId, spanId };
  const raw = await settings.vault.get(address, { roles, ...(subject !== undefined && { subject }) });
  if (raw === undefined) throw notFound();
  return new Response(JSON.stringify({ ...wireRawContent.encode(raw), trace_id: traceId, span_id: spanId }), {
    headers: {
      "content-type": "application/json",
      // No copy of it shall stay anywhere.
      "cache-control": "private, no-store",
      ...SECURITY_HEADERS,
    },
  });
}
