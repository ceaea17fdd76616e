/** How much one span holds. What is beyond is counted in the record's `dropped`. */
export interface SpanLimits {
  attributes: number;
  events: number;
  links: number;
  /** UTF-16 code units of a text in an attribute. */
  valueLength: number;
}

/** Unlike the SDK's 128 attributes, which eat long chats: a span of ours is bounded by the queue's bytes. */
export const NO_LIMITS: SpanLimits = {
  attributes: Number.POSITIVE_INFINITY,
  events: 1_000,
  links: 1_000,
  valueLength: Number.POSITIVE_INFINITY,
};

/** Cuts text, also in lists. Source: OpenTelemetry specification, "Attribute Limits". */
export function limitText<T>(value: T, length: number): T;
export function limitText(value: unknown, length: number): unknown {
  if (length === Number.POSITIVE_INFINITY) return value;
  if (typeof value === "string") return value.length > length ? value.slice(0, length) : value;
  return Array.isArray(value) ? value.map((member: unknown) => limitText(member, length)) : value;
}
