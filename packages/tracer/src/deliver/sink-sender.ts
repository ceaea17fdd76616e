import type { SpanSink } from "@spanloom/model";
import type { Send } from "./attempt.ts";

/** A sink as a destination. A sink of the host may be any code: it may throw at once, or answer with anything. */
export function sinkSender(sink: SpanSink): Send {
  return async (batch) => {
    const receipt: unknown = await sink.write(batch);
    if (!mayReject(receipt)) return { rejected: [] };
    const { readRejected } = await import("./refusals.ts");
    return { rejected: readRejected(receipt, batch.length) };
  };
}

function mayReject(receipt: unknown): boolean {
  try {
    return Boolean((receipt as { rejected?: unknown[] } | undefined)?.rejected?.length);
  } catch {
    return false;
  }
}
