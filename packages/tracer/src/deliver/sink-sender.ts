import type { SpanRecord, SpanSink } from "@spanloom/model";
import type { SendResult } from "./attempt.ts";

/** A sink as a destination. A sink of the host may be any code: it may throw at once, or answer with nothing. */
export function sinkSender(sink: SpanSink): (batch: readonly SpanRecord[]) => Promise<SendResult> {
  return async (batch) => {
    const receipt: unknown = await sink.write(batch);
    const rejected: unknown =
      typeof receipt === "object" && receipt !== null && "rejected" in receipt ? receipt.rejected : [];
    return { rejected: Array.isArray(rejected) ? (rejected as SendResult["rejected"]) : [] };
  };
}
