import type { JsonValue } from "./json.ts";

/**
 * One attribute value: any JSON value. OpenTelemetry's `AnyValue` knows three things that JSON does not; they stand as
 * objects with one reserved key, so that a span survives the way through OTLP unchanged:
 *
 * - `{ "$int": "9007199254740993" }` an int64 outside the safe integers, as decimal digits
 * - `{ "$double": "NaN" }` a double that is not finite, is a negative zero, or that OTLP marked as a double although it is whole (`"1"`)
 * - `{ "$bytes": "aGk=" }` bytes, base64
 * - `{ "$map": [["k", value]] }` a key-value list whose keys repeat or look like one of these four
 *
 * A plain whole number is an int64, any other number a double.
 * Source: opentelemetry-proto `common/v1/common.proto`, message AnyValue.
 */
export type AttributeValue = JsonValue;

/** Attributes of a span, event, link or resource, by key. May be made without a prototype. */
export type Attributes = Record<string, AttributeValue>;

/** The value as a reader expects it: reserved wrappers become numbers, strings and objects. Lossy; for display only. */
export function plainAttribute(value: AttributeValue): JsonValue {
  if (Array.isArray(value)) return value.map(plainAttribute);
  if (typeof value !== "object" || value === null) return value;
  const { $int, $double, $bytes, $map } = value;
  const size = Object.keys(value).length;
  if (size === 1 && typeof $int === "string") return $int;
  if (size === 1 && typeof $double === "string")
    return Number.isFinite(Number($double)) ? Number($double) : $double;
  if (size === 1 && typeof $bytes === "string") return `base64:${$bytes}`;
  const entries = size === 1 && Array.isArray($map) ? ($map as [string, JsonValue][]) : Object.entries(value);
  return Object.fromEntries(entries.map(([key, member]) => [key, plainAttribute(member)]));
}
