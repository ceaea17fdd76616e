import type { Exception } from "@opentelemetry/api";

/** Whether somebody asked for the work to stop, as `AbortController` does. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** What a thrown value says about itself. Reading it must not throw, whatever it is. */
export function describeError(error: unknown): { message: string; exception: Exception } {
  if (error instanceof Error) {
    const name = error.name || error.constructor.name;
    const exception: Exception = { name, message: error.message };
    if (error.stack !== undefined) exception.stack = error.stack;
    return { message: error.message, exception };
  }
  const message = typeof error === "string" ? error : `thrown: ${typeOf(error)}`;
  return { message, exception: { name: "Error", message } };
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
