import { SpanloomError, type SpanRecord } from "@spanloom/model";

/** What came of a batch, once the other end has answered. */
export interface SendResult {
  /** Refused records, by their place in the batch. Everything else is delivered. */
  rejected: { index: number; code: string; message?: string }[];
  /** How many more were refused, where the other end does not say which. */
  rejectedUnnamed?: number;
}

/** Rejects or throws when nothing was delivered; may also never settle. */
export type Send = (batch: readonly SpanRecord[], signal: AbortSignal) => Promise<SendResult>;

/** Sends once. Never rejects, and ends within the time-out. */
export async function attempt(
  send: Send,
  records: SpanRecord[],
  timeoutMs: number,
  name: string,
): Promise<{ result: SendResult } | { failure: unknown }> {
  const aborter = new AbortController();
  try {
    const sending = send(records, aborter.signal);
    sending.catch(() => undefined);
    const result = await within(sending, timeoutMs, false);
    if (result !== undefined) return { result };
  } catch (error) {
    return { failure: error ?? new Error("rejected without a reason") };
  }
  aborter.abort();
  return {
    failure: new SpanloomError("timed_out", { what: `${name} gave no answer within ${timeoutMs} ms.` }),
  };
}

/** Waits for `work`, at most `timeoutMs`, then gives `undefined`. Rejects as `work` does. */
export async function within<T>(
  work: Promise<T> | undefined,
  timeoutMs: number,
  keepAlive = true,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, timeoutMs), undefined);
    if (!keepAlive) timer.unref();
  });
  try {
    return await (work === undefined ? late : Promise.race([work, late]));
  } finally {
    clearTimeout(timer);
  }
}

/** An error may say how long to stay away, as an HTTP `Retry-After` does. */
export function retryAfterOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("retryAfterMs" in error)) return undefined;
  return typeof error.retryAfterMs === "number" ? Math.min(error.retryAfterMs, 300_000) : undefined;
}
