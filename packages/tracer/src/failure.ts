import type { Exception } from "@opentelemetry/api";

/**
 * Whether work stopped because somebody wanted it to: an abort, or the reason of the signal itself. A time-out is a
 * failure, also when a signal brings it.
 */
export function isCancellation(error: unknown, signal: AbortSignal | undefined): boolean {
  try {
    // What `AbortController` gives by itself.
    if (nameOf(error) === "AbortError") return true;
    if (signal?.aborted !== true || nameOf(signal.reason) === "TimeoutError") return false;
    return error === signal.reason || (error instanceof Error && error.cause === signal.reason);
  } catch {
    return false;
  }
}

function nameOf(error: unknown): unknown {
  return error instanceof Error ? error.name : undefined;
}

/** What a thrown value says about itself. Never throws, whatever it is: getters and proxies may. */
export function describeError(error: unknown): { message: string; exception: Exception } {
  try {
    return describe(error);
  } catch {
    return namedOnly("thrown: a value that cannot be read");
  }
}

function describe(error: unknown): { message: string; exception: Exception } {
  if (!(error instanceof Error))
    return namedOnly(typeof error === "string" ? error : `thrown: ${typeOf(error)}`);
  const message = textOf(error.message) ?? "";
  const exception: Exception = { name: textOf(error.name) || error.constructor.name, message };
  const stack = textOf(error.stack);
  if (stack !== undefined) exception.stack = stack;
  return { message, exception };
}

function namedOnly(message: string): { message: string; exception: Exception } {
  return { message, exception: { name: "Error", message } };
}

/** Nothing keeps a host's error from holding something else where text belongs. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
