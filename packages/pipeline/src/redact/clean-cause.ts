import { type Attributes, type AttributeValue, SCHEMA_VERSION, type SpanRecord } from "@spanloom/model";
import type { Pipeline } from "../pipeline.ts";

/** How deep causes of causes are followed. */
const MAX_CAUSES = 4;

/**
 * An error for somebody to print: of its own class, with the texts and figures on it after redaction. Requests, responses
 * and whatever else hangs on the errors of clients stays behind. Never throws.
 */
export function cleanCause(cause: unknown, pipeline: Pipeline, scope: string, depth = 0): unknown {
  try {
    if (!(cause instanceof Error)) return cleaned({ thrown: cause }, pipeline, scope).thrown;
    const copy: Error = Object.setPrototypeOf(new Error(), Object.getPrototypeOf(cause));
    const own = Object.fromEntries(
      Object.getOwnPropertyNames(cause).map((key) => [key, Reflect.get(cause, key)]),
    );
    const parts: Record<string, unknown> = { message: "", ...cleaned(own, pipeline, scope) };
    if (own.cause !== undefined && depth < MAX_CAUSES)
      parts.cause = cleanCause(own.cause, pipeline, scope, depth + 1);
    for (const key of Object.keys(parts)) {
      const enumerable = Object.prototype.propertyIsEnumerable.call(cause, key);
      Object.defineProperty(copy, key, { value: parts[key], enumerable, configurable: true, writable: true });
    }
    return copy;
  } catch {
    return new Error("an error that cannot be read");
  }
}

function cleaned(parts: Readonly<Record<string, unknown>>, pipeline: Pipeline, scope: string): Attributes {
  const attributes: Attributes = Object.fromEntries(
    Object.entries(parts).flatMap(([key, value]): [string, AttributeValue][] => {
      if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value))
        return [[key, value as AttributeValue]];
      return typeof value === "number" || typeof value === "bigint" ? [[key, String(value)]] : [];
    }),
  );
  const record: SpanRecord = {
    traceId: "0".repeat(32),
    spanId: "0".repeat(16),
    executionId: "0",
    name: "error",
    kind: "internal",
    otelKind: "internal",
    startTime: "0",
    status: { code: "error" },
    attributes: {},
    // Not on the span itself: dialects move what they know out of there.
    events: [{ name: "error", time: "0", attributes }],
    links: [],
    resource: { attributes: {} },
    instrumentation: { name: "@spanloom/pipeline" },
    schemaVersion: SCHEMA_VERSION,
    revision: 0,
  };
  return pipeline.clean(record, { scope }).events[0]?.attributes ?? {};
}
