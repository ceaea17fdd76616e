import {
  isSpanloomError,
  type RejectedSpan,
  SpanloomError,
  type SpanRecord,
  type WriteReceipt,
} from "@spanloom/model";
import { decodeSpan, decodeSpans, wireWriteReceipt } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { readJson } from "../read-body.ts";
import { respondJson } from "../respond.ts";

/** Stores spans of a service that writes through HTTP. A span at fault is named in the receipt and costs no other. */
export async function writeSpans(call: Call): Promise<Response> {
  const { limits, pipeline } = call.settings;
  const items = decodeSpans(await readJson(call.request, limits));
  if (items.length > limits.spansPerRequest) {
    throw new SpanloomError("limit_exceeded", {
      what: `${items.length} spans were sent at once.`,
      why: `At most ${limits.spansPerRequest} may be.`,
      fix: "Send them in several requests.",
    });
  }
  // Without its price table, what comes first would be stored without a cost.
  if (pipeline !== false) await pipeline.ready;
  const records: SpanRecord[] = [];
  const places: number[] = [];
  const rejected: RejectedSpan[] = [];
  for (const [index, item] of items.entries()) {
    const record = readSpan(item);
    if (typeof record === "string") {
      rejected.push({ index, code: "invalid_record", message: record });
      continue;
    }
    records.push(pipeline === false ? record : pipeline.clean(record, { scope: call.grant.scope }));
    places.push(index);
  }
  const receipt: WriteReceipt =
    records.length === 0 ? { written: 0, unchanged: 0, rejected: [] } : await call.store.write(records);
  for (const one of receipt.rejected) rejected.push({ ...one, index: places[one.index] ?? one.index });
  rejected.sort((a, b) => a.index - b.index);
  return respondJson(call, wireWriteReceipt.encode({ ...receipt, rejected }));
}

/** The record, or why it is none. */
function readSpan(item: unknown): SpanRecord | string {
  try {
    return decodeSpan(item);
  } catch (error) {
    if (isSpanloomError(error)) return error.why ?? error.what;
    throw error;
  }
}
