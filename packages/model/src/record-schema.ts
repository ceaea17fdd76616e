import * as v from "valibot";
import type { Attributes } from "./attributes.ts";
import type { MessagePart } from "./content.ts";
import { EXECUTION_STATUSES } from "./execution.ts";
import { isSpanId, isTraceId } from "./ids.ts";
import { isPlainObject, type JsonValue } from "./json.ts";
import { OTEL_KINDS, SCHEMA_VERSION, SPAN_KINDS, type SpanRecord, type SpanSkeleton } from "./span.ts";
import { isUnixNanos } from "./time.ts";

/** What every id of a host (execution, workflow, node, scope) must be: 1 to 200 characters, and usable in a URL path. */
export const MAX_ID_LENGTH = 200;

/** How deep attributes and content may nest. Deeper values are refused, so that nobody's recursion overflows. */
export const MAX_DEPTH = 100;

const id = v.pipe(
  v.string("must be a string"),
  v.minLength(1, "must not be empty"),
  v.maxLength(MAX_ID_LENGTH, `must not be longer than ${MAX_ID_LENGTH} characters`),
  v.check((text) => text !== "." && text !== "..", 'must not be "." or ".."'),
);
const traceId = v.custom<string>(isTraceId, "must be 32 lowercase hex digits, not all zero");
const spanId = v.custom<string>(isSpanId, "must be 16 lowercase hex digits, not all zero");
const time = v.custom<string>(isUnixNanos, "must be Unix nanoseconds as a decimal string");
const count = v.pipe(
  v.number("must be a number"),
  v.safeInteger("must be a whole number"),
  v.minValue(0, "must not be negative"),
);
const text = v.string("must be a string");
const attributes = v.custom<Attributes>(
  isJsonObject,
  `must be an object of JSON values, nested at most ${MAX_DEPTH} deep`,
);
const json = v.custom<JsonValue>(isJson, `must be a JSON value, nested at most ${MAX_DEPTH} deep`);
const redactions = v.array(v.object({ rule: text, count }));

const contentBase = {
  state: v.picklist([
    "captured",
    "preview",
    "redacted",
    "truncated",
    "not_captured",
    "not_permitted",
    "missing",
  ]),
  reason: v.optional(text),
  hash: v.optional(text),
  length: v.optional(count),
  redactions: v.optional(redactions),
  ref: v.optional(
    v.object({
      sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/, "must be 64 lowercase hex digits")),
      length: count,
    }),
  ),
};
const content = v.variant("format", [
  v.object({ format: v.literal("text"), ...contentBase, text: v.optional(text) }),
  v.object({ format: v.literal("json"), ...contentBase, json: v.optional(json), text: v.optional(text) }),
  v.object({
    format: v.literal("messages"),
    ...contentBase,
    messages: v.optional(
      v.array(
        v.object({
          role: text,
          parts: v.custom<MessagePart[]>(isMessageParts, "must be an array of message parts"),
          name: v.optional(text),
          finishReason: v.optional(text),
        }),
      ),
    ),
  }),
]);

const skeletonEntries = {
  traceId,
  spanId,
  parentSpanId: v.optional(spanId),
  executionId: id,
  name: text,
  kind: v.picklist(SPAN_KINDS, `must be one of ${SPAN_KINDS.join(", ")}`),
  nodeId: v.optional(id),
  nodeType: v.optional(text),
  attempt: v.optional(v.pipe(count, v.minValue(1, "counts from 1"))),
  agent: v.optional(text),
  startTime: time,
  endTime: v.optional(time),
  syntheticEnd: v.optional(v.picklist(["timed_out", "process_lost"])),
  firstTokenTime: v.optional(time),
  status: v.object({ code: v.picklist(["unset", "ok", "error"]), message: v.optional(text) }),
  usage: v.optional(
    v.object({
      input: v.optional(count),
      output: v.optional(count),
      cachedInput: v.optional(count),
      cacheWrite: v.optional(count),
      reasoning: v.optional(count),
      total: v.optional(count),
      subtotal: v.optional(v.literal(true)),
    }),
  ),
  cost: v.optional(
    v.object({
      nanoUsd: count,
      source: v.picklist(["reported", "computed", "override"]),
      priceVersion: v.optional(text),
      parts: v.optional(
        v.object({
          input: v.optional(count),
          output: v.optional(count),
          cachedInput: v.optional(count),
          cacheWrite: v.optional(count),
          fee: v.optional(count),
        }),
      ),
    }),
  ),
  model: v.optional(text),
  provider: v.optional(text),
  artifacts: v.optional(
    v.array(
      v.object({
        artifactId: id,
        name: text,
        mediaType: v.optional(text),
        sizeBytes: v.optional(count),
        hash: v.optional(text),
      }),
    ),
  ),
  revision: count,
};

/** A SpanSkeleton, as wires and stores check it. */
export const skeletonSchema: v.GenericSchema<unknown, SpanSkeleton> = v.object(skeletonEntries);

/** A SpanRecord, as wires and stores check it. Keys that it does not know are dropped by a parse. */
export const recordSchema: v.GenericSchema<unknown, SpanRecord> = v.object({
  ...skeletonEntries,
  workflowId: v.optional(id),
  workflowName: v.optional(text),
  threadId: v.optional(id),
  executionStatus: v.optional(v.picklist(EXECUTION_STATUSES)),
  otelKind: v.picklist(OTEL_KINDS),
  attributes,
  events: v.array(v.object({ name: text, time, attributes, droppedAttributes: v.optional(count) })),
  links: v.array(
    v.object({
      traceId,
      spanId,
      traceState: v.optional(text),
      flags: v.optional(count),
      attributes,
      droppedAttributes: v.optional(count),
    }),
  ),
  finishReasons: v.optional(v.array(text)),
  input: v.optional(content),
  output: v.optional(content),
  stateBefore: v.optional(content),
  stateAfter: v.optional(content),
  cache: v.optional(v.array(v.object({ keyspace: text, hits: count, misses: count }))),
  resource: v.object({ attributes, droppedAttributes: v.optional(count), schemaUrl: v.optional(text) }),
  instrumentation: v.object({
    name: text,
    version: v.optional(text),
    attributes: v.optional(attributes),
    droppedAttributes: v.optional(count),
    schemaUrl: v.optional(text),
  }),
  traceState: v.optional(text),
  flags: v.optional(count),
  dropped: v.optional(
    v.object({ attributes: v.optional(count), events: v.optional(count), links: v.optional(count) }),
  ),
  redactions: v.optional(redactions),
  provenance: v.optional(v.record(v.string(), v.object({ dialect: text, key: text }))),
  schemaVersion: v.pipe(
    count,
    v.maxValue(
      SCHEMA_VERSION,
      `is newer than this version of Spanloom understands (${SCHEMA_VERSION}); upgrade it`,
    ),
  ),
});

/** Why a value is no SpanRecord that can be stored: the path and the reason; `undefined` when it is one. */
export function recordProblem(value: unknown): string | undefined {
  const result = v.safeParse(recordSchema, value, { abortEarly: true, abortPipeEarly: true });
  if (!result.success) return problemText(result.issues[0]);
  const { startTime, endTime, syntheticEnd } = result.output;
  if (endTime === undefined && syntheticEnd !== undefined)
    return `syntheticEnd needs an endTime (span started ${startTime})`;
  return undefined;
}

/** One valibot issue as `path: reason`. */
export function problemText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? "record";
  return `${path}: ${issue.message}`;
}

/** True when JSON can hold the value and it nests at most {@link MAX_DEPTH} deep. Iterative. */
export function isJson(value: unknown): boolean {
  const stack: [value: unknown, depth: number][] = [[value, 0]];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const [current, depth] = item;
    if (typeof current === "string" || typeof current === "boolean" || current === null) continue;
    if (typeof current === "number") {
      if (!Number.isFinite(current)) return false;
      continue;
    }
    if (typeof current !== "object" || depth >= MAX_DEPTH) return false;
    if (!Array.isArray(current) && !isPlainObject(current)) return false;
    for (const member of Object.values(current)) stack.push([member, depth + 1]);
  }
  return true;
}

function isJsonObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && isJson(value);
}

const PART_TYPES = new Set(["text", "reasoning", "tool_call", "tool_call_response", "media", "other"]);

function isMessageParts(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (part) => isJsonObject(part) && PART_TYPES.has((part as { type?: unknown }).type as string),
    ) &&
    isJson(value)
  );
}
