/** Ids follow W3C Trace Context: 32 and 16 lowercase hex digits, not all zero. */

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;

/** A UUIDv4 without dashes: 32 hex digits, a valid W3C trace id. */
export function newTraceId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** 16 random hex digits, never all zero. */
export function newSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0] = (bytes[0] as number) | 1;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An execution id of our own, for hosts that bring none: a UUIDv4 with dashes. */
export function newExecutionId(): string {
  return crypto.randomUUID();
}

/** True for any valid W3C trace id. Version bits are not checked: ids that others made are no UUIDs. */
export function isTraceId(value: unknown): value is string {
  return typeof value === "string" && TRACE_ID.test(value);
}

export function isSpanId(value: unknown): value is string {
  return typeof value === "string" && SPAN_ID.test(value);
}

/** The trace id with dashes, as UUID columns and the correlation chip show it. */
export function traceIdToUuid(traceId: string): string {
  return traceId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
