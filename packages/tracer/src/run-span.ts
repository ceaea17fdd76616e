import { types } from "node:util";
import { runAt } from "./active-place.ts";
import { afterStream, endWith } from "./llm-stream.ts";
import type { SpanHandle } from "./span-handle.ts";

/**
 * Runs the host's callback inside a span. Its result, the very promise included, and what it throws come out unchanged;
 * the span ends with them, or with the traced stream that it gives. Only native promises are followed: calling `then` on
 * a lazy query builder would run it twice.
 */
export function runSpan<H extends SpanHandle, T>(handle: H, run: (handle: H) => T): T {
  let result: T;
  try {
    result = runAt(handle, run);
  } catch (error) {
    handle.fail(error);
    throw error;
  }
  // Not `instanceof`, which a proxy answers with code of its own, or with an error.
  if (!types.isPromise(result) || !follow(handle, result)) finish(handle, result);
  return result;
}

/** False where the promise cannot be followed: a subclass may have a `then` that throws. */
function follow(handle: SpanHandle, promise: Promise<unknown>): boolean {
  try {
    promise.then(
      (value) => finish(handle, value),
      (error: unknown) => handle.fail(error),
    );
    return true;
  } catch {
    return false;
  }
}

function finish(handle: SpanHandle, result: unknown): void {
  if (endsWithStream(handle, result)) return;
  handle.captureResult(result);
  handle.end();
}

/** The callback's own stream may be inside what it gives, such as a response that is read later. */
function endsWithStream(handle: SpanHandle, result: unknown): boolean {
  const { openStream } = handle;
  if (openStream === undefined && (typeof result !== "object" || result === null)) return false;
  const end = (failure?: { error: unknown }): void => endWith(handle, failure);
  return afterStream(result, end) || afterStream(openStream, end);
}
