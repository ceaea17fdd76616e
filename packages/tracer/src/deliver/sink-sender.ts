import type { SpanRecord, SpanSink } from "@spanloom/model";
import type { SendResult } from "./delivery.ts";

/** A sink as a destination. A sink of the host may be any code: it may throw at once, or answer with anything. */
export function sinkSender(sink: SpanSink): (batch: readonly SpanRecord[]) => Promise<SendResult> {
  return async (batch) => ({ rejected: readRejected(await sink.write(batch), batch.length) });
}

/** The refused records that the answer names, each once. An answer that cannot be read names none. */
function readRejected(receipt: unknown, size: number): SendResult["rejected"] {
  const found = new Map<number, string>();
  try {
    if (typeof receipt !== "object" || receipt === null || !("rejected" in receipt)) return [];
    if (!Array.isArray(receipt.rejected)) return [];
    for (const item of receipt.rejected as unknown[]) {
      if (typeof item !== "object" || item === null || !("index" in item)) continue;
      const { index } = item;
      if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= size) continue;
      found.set(index, "code" in item && typeof item.code === "string" ? item.code : "rejected");
    }
  } catch {
    // What was read counts.
  }
  return Array.from(found, ([index, code]) => ({ index, code }));
}
