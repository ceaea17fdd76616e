import { SpanloomError, type SpanRecord } from "@spanloom/model";
import { within } from "../wait.ts";

/** What came of a batch, once the other end has answered. */
export interface SendResult {
  /** Refused records, by their place in the batch. Everything else is delivered. */
  rejected: { index: number; code: string; message?: string }[];
  /** How many more were refused, where the other end does not say which. */
  rejectedUnnamed?: number;
}

/** Rejects or throws when nothing was delivered; may also never settle. */
export type Send = (batch: readonly SpanRecord[], signal: AbortSignal) => Promise<SendResult>;

/**
 * Sends once. Never rejects, and ends within the time-out. The error is boxed: a store may reject with something that has
 * a `then`, and nobody shall wait for that.
 */
export async function attempt(
  { send, sendTimeoutMs, name }: { send: Send; sendTimeoutMs: number; name: string },
  records: SpanRecord[],
  aborter: AbortController,
): Promise<SendResult | { error: unknown }> {
  try {
    const sending = send(records, aborter.signal);
    sending.catch(() => undefined);
    const result = await within(sending, sendTimeoutMs, false);
    if (result !== undefined) return result;
  } catch (error) {
    return { error: error ?? new Error("rejected without a reason") };
  }
  aborter.abort();
  return {
    error: new SpanloomError("timed_out", { what: `${name} gave no answer within ${sendTimeoutMs} ms.` }),
  };
}
