import type { SpanHandle } from "./span-handle.ts";

/**
 * Runs the host's callback inside a span. Its result, the very promise included, and what it throws come out unchanged;
 * the span ends with them. Only native promises are followed: calling `then` on a lazy query builder would run it twice.
 */
export function runSpan<H extends SpanHandle, T>(start: () => H, run: (handle: H) => T): T {
  const handle = start();
  let result: T;
  try {
    result = handle.run(() => run(handle));
  } catch (error) {
    handle.fail(error);
    throw error;
  }
  if (result instanceof Promise) {
    result.then(
      (value) => finish(handle, value),
      (error: unknown) => handle.fail(error),
    );
  } else {
    finish(handle, result);
  }
  return result;
}

function finish(handle: SpanHandle, result: unknown): void {
  handle.captureResult(result);
  handle.end();
}
