import {
  EXECUTION_STATUSES,
  isJson,
  isPlainObject,
  isSpanId,
  isTraceId,
  isUnixNanos,
  MAX_ID_LENGTH,
  OTEL_KINDS,
  SCHEMA_VERSION,
  SPAN_KINDS,
  TOKEN_FIELDS,
} from "@spanloom/model";

/**
 * True for a record that is certainly one: plain in every field. The schema of `recordProblem` decides on all others; it
 * takes several times as long, which would be a quarter of what storing a span takes. Whenever this says true, the schema
 * finds no problem.
 */
export function isPlainRecord(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { startTime, endTime, syntheticEnd, firstTokenTime, status, usage, cost, resource, instrumentation } =
    value;
  return (
    isTraceId(value.traceId) &&
    isSpanId(value.spanId) &&
    (value.parentSpanId === undefined || isSpanId(value.parentSpanId)) &&
    isId(value.executionId) &&
    typeof value.name === "string" &&
    KINDS.has(value.kind) &&
    FREE_TEXTS.every((name) => isOptionalText(value[name])) &&
    IDS.every((name) => value[name] === undefined || isId(value[name])) &&
    (value.attempt === undefined || (isCount(value.attempt) && value.attempt !== 0)) &&
    isUnixNanos(startTime) &&
    (endTime === undefined ? syntheticEnd === undefined : isUnixNanos(endTime)) &&
    (syntheticEnd === undefined || syntheticEnd === "timed_out" || syntheticEnd === "process_lost") &&
    (firstTokenTime === undefined || isUnixNanos(firstTokenTime)) &&
    isObject(status) &&
    (status.code === "unset" || status.code === "ok" || status.code === "error") &&
    isOptionalText(status.message) &&
    (usage === undefined || isPlainUsage(usage)) &&
    (cost === undefined || isPlainCost(cost)) &&
    isCount(value.revision) &&
    (value.executionStatus === undefined || STATUSES.has(value.executionStatus)) &&
    OTEL.has(value.otelKind) &&
    isPlainAttributes(value.attributes) &&
    isEmpty(value.events) &&
    isEmpty(value.links) &&
    CONTENTS.every((name) => value[name] === undefined || isPlainContent(value[name])) &&
    isObject(resource) &&
    isPlainAttributes(resource.attributes) &&
    (resource.droppedAttributes === undefined || isCount(resource.droppedAttributes)) &&
    isOptionalText(resource.schemaUrl) &&
    isObject(instrumentation) &&
    typeof instrumentation.name === "string" &&
    isOptionalText(instrumentation.version) &&
    instrumentation.attributes === undefined &&
    instrumentation.droppedAttributes === undefined &&
    instrumentation.schemaUrl === undefined &&
    (value.finishReasons === undefined || isTexts(value.finishReasons)) &&
    (value.flags === undefined || isCount(value.flags)) &&
    value.schemaVersion === SCHEMA_VERSION &&
    RARE.every((name) => value[name] === undefined)
  );
}

const KINDS: ReadonlySet<unknown> = new Set(SPAN_KINDS);
const OTEL: ReadonlySet<unknown> = new Set(OTEL_KINDS);
const STATUSES: ReadonlySet<unknown> = new Set(EXECUTION_STATUSES);
const STATES: ReadonlySet<unknown> = new Set([
  ...["captured", "preview", "redacted", "truncated", "not_captured", "not_permitted"],
]);
const SOURCES: ReadonlySet<unknown> = new Set(["reported", "computed", "override"]);
const FREE_TEXTS = ["nodeType", "agent", "model", "provider", "workflowName", "traceState"];
const IDS = ["nodeId", "workflowId", "threadId"];
const CONTENTS = ["input", "output", "stateBefore", "stateAfter"];
/** Fields that most spans lack: the schema sees to them. */
const RARE = ["artifacts", "cache", "dropped", "redactions", "provenance"];

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isId(value: unknown): boolean {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= MAX_ID_LENGTH &&
    value !== "." &&
    value !== ".."
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isPlainUsage(usage: unknown): boolean {
  return (
    isObject(usage) &&
    TOKEN_FIELDS.every((field) => usage[field] === undefined || isCount(usage[field])) &&
    (usage.subtotal === undefined || usage.subtotal === true)
  );
}

function isPlainCost(cost: unknown): boolean {
  if (!isObject(cost) || !isCount(cost.nanoUsd) || !SOURCES.has(cost.source)) return false;
  if (!isOptionalText(cost.priceVersion)) return false;
  const { parts } = cost;
  if (parts === undefined) return true;
  return isObject(parts) && Object.values(parts).every((part) => part === undefined || isCount(part));
}

/** The members are all that is looked at, as the schema does; a value that is no scalar is looked through by it. */
function isPlainAttributes(attributes: unknown): boolean {
  if (!isPlainObject(attributes)) return false;
  for (const key in attributes) {
    const value = attributes[key];
    if (typeof value !== "string" && typeof value !== "boolean" && !Number.isFinite(value))
      return isJson(attributes);
  }
  return true;
}

function isPlainContent(content: unknown): boolean {
  if (!isObject(content) || !STATES.has(content.state) || content.redactions !== undefined) return false;
  const { format, json, messages } = content;
  if (!isOptionalText(content.reason) || !isOptionalText(content.hash)) return false;
  if (content.length !== undefined && !isCount(content.length)) return false;
  if (!isOptionalText(content.text)) return false;
  if (format === "text") return true;
  if (format === "json") return json === undefined || isJson(json);
  return format === "messages" && (messages === undefined || isPlainMessages(messages));
}

const PART_TYPES: ReadonlySet<unknown> = new Set([
  ...["text", "reasoning", "tool_call", "tool_call_response", "media", "other"],
]);

function isPlainMessages(messages: unknown): boolean {
  if (!Array.isArray(messages)) return false;
  return messages.every((message: unknown) => {
    if (!isObject(message) || typeof message.role !== "string" || !Array.isArray(message.parts)) return false;
    if (!isOptionalText(message.name) || !isOptionalText(message.finishReason)) return false;
    return (
      message.parts.every((part: unknown) => isObject(part) && PART_TYPES.has(part.type)) &&
      isJson(message.parts)
    );
  });
}
