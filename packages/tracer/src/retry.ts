import { setTimeout as pause } from "node:timers/promises";
import { isCancellation } from "./failure.ts";
import type { NodeHandle, NodeOptions } from "./node.ts";
import type { SpanHandle } from "./span-handle.ts";
import { timerMs } from "./wait.ts";

export interface RetryOptions extends Omit<NodeOptions, "attempt"> {
  /** How often it is tried at most, the first time included. */
  attempts: number;
  /** The pause before the next try: milliseconds, or how to find them, such as `(attempt) => 100 * 2 ** attempt`. Default 0. */
  delayMs?: number | ((failedAttempt: number, error: unknown) => number);
  /** Whether an error is worth another try. Default: all are, but a cancelled execution never tries again. */
  retryIf?: (error: unknown, failedAttempt: number) => boolean;
}

/** Tries a node again until it succeeds: a span for each try. Rejects with the very error of the last one. */
export async function retryNode<T>(
  above: SpanHandle,
  options: RetryOptions,
  run: (node: NodeHandle) => T,
): Promise<Awaited<T>> {
  const { attempts, delayMs = 0, retryIf, ...node } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await above.node({ ...node, attempt }, run);
    } catch (error) {
      const { signal } = above;
      const wanted = !isCancellation(error, signal) && signal?.aborted !== true;
      if (!wanted || !(attempt < attempts) || retryIf?.(error, attempt) === false) throw error;
      const waitMs = timerMs(typeof delayMs === "number" ? delayMs : delayMs(attempt, error));
      above.addEvent("retry", { "node.id": node.id, attempt: attempt + 1, delay_ms: waitMs });
      await interruptible(waitMs, signal);
    }
  }
}

/** Rejects with the signal's own reason as soon as it is aborted. */
async function interruptible(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return;
  try {
    await pause(ms, undefined, signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
