import { types } from "node:util";
import {
  type Attributes,
  type AttributeValue,
  isSpanId,
  isTraceId,
  OTEL_KINDS,
  SCHEMA_VERSION,
  type SpanEvent,
  type SpanLink,
  type SpanRecord,
  type SpanStatus,
} from "@spanloom/model";
import { captureJson } from "../capture.ts";
import { nanosFromHrTime } from "../clock.ts";
import type { SpanFacts } from "../facts.ts";
import type { OtelEvent, OtelLink, OtelScope, OtelSpan } from "./otel-span.ts";

/** A span and the facts beside it, as they are now, as a record that shares nothing which changes later. */
export function snapshot(
  span: OtelSpan,
  facts: SpanFacts | undefined,
  revision: number,
  ended: boolean,
): SpanRecord {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const record: SpanRecord = {
    traceId,
    spanId,
    executionId: facts?.execution.executionId ?? traceId,
    name: span.name,
    kind: facts === undefined ? "internal" : facts.kind,
    startTime: nanosFromHrTime(span.startTime),
    status: statusOf(span),
    otelKind: OTEL_KINDS[span.kind] ?? "internal",
    attributes: facts === undefined ? attributesOf(span.attributes) : allAttributes(span, facts, ended),
    events: span.events.length === 0 ? [] : span.events.map(eventOf),
    links: span.links.length === 0 ? [] : span.links.filter(isUsable).map(linkOf),
    resource: once(span.resource, resourceOf),
    instrumentation: once(span.instrumentationScope, instrumentationOf),
    flags: traceFlags,
    schemaVersion: SCHEMA_VERSION,
    revision,
  };
  if (span.parentSpanContext !== undefined) record.parentSpanId = span.parentSpanContext.spanId;
  if (ended) record.endTime = nanosFromHrTime(span.endTime);
  const state = traceState?.serialize();
  if (state) record.traceState = state;
  if (facts !== undefined) addFacts(record, facts);
  addDropCounts(record, span);
  return record;
}

function addFacts(record: SpanRecord, facts: SpanFacts): void {
  const { execution, node } = facts;
  if (execution.workflowId !== undefined) record.workflowId = execution.workflowId;
  if (execution.workflowName !== undefined) record.workflowName = execution.workflowName;
  if (execution.threadId !== undefined) record.threadId = execution.threadId;
  if (node !== undefined) {
    record.nodeId = node.nodeId;
    record.attempt = node.attempt;
    if (node.nodeType !== undefined) record.nodeType = node.nodeType;
  }
  if (facts.status !== undefined) record.executionStatus = facts.status;
  if (facts.agent !== undefined) record.agent = facts.agent;
  if (facts.model !== undefined) record.model = facts.model;
  if (facts.provider !== undefined) record.provider = facts.provider;
  if (facts.usage !== undefined) record.usage = facts.usage;
  if (facts.cost !== undefined) record.cost = facts.cost;
  if (facts.finishReasons !== undefined) record.finishReasons = facts.finishReasons;
  if (facts.firstTokenTime !== undefined) record.firstTokenTime = facts.firstTokenTime;
  if (facts.input !== undefined) record.input = facts.input;
  if (facts.output !== undefined) record.output = facts.output;
  if (facts.stateBefore !== undefined) record.stateBefore = facts.stateBefore;
  if (facts.stateAfter !== undefined) record.stateAfter = facts.stateAfter;
  if (facts.artifacts !== undefined) record.artifacts = [...facts.artifacts];
  if (facts.cache !== undefined) record.cache = facts.cache.map((access) => ({ ...access }));
}

/** Those that other code set on the OpenTelemetry span, and the host's. After the end nobody changes them: no copy. */
function allAttributes(span: OtelSpan, facts: SpanFacts, ended: boolean): Attributes {
  for (const _ in span.attributes)
    return Object.assign(attributesOf(span.attributes, facts.mirrored), facts.attributes);
  return ended ? facts.attributes : { ...facts.attributes };
}

function addDropCounts(record: SpanRecord, span: OtelSpan): void {
  const { droppedAttributesCount: attributes, droppedEventsCount: events, droppedLinksCount: links } = span;
  if (!attributes && !events && !links) return;
  record.dropped = { ...(attributes && { attributes }), ...(events && { events }), ...(links && { links }) };
}

function statusOf({ status }: OtelSpan): SpanStatus {
  if (status.code === 2) {
    return status.message === undefined ? { code: "error" } : { code: "error", message: status.message };
  }
  return { code: status.code === 1 ? "ok" : "unset" };
}

function eventOf(event: OtelEvent): SpanEvent {
  const { name, time, attributes, droppedAttributesCount: droppedAttributes } = event;
  const out: SpanEvent = { name, time: nanosFromHrTime(time), attributes: attributesOf(attributes) };
  if (droppedAttributes) out.droppedAttributes = droppedAttributes;
  return out;
}

/** A link to nowhere would cost the span: stores refuse it. */
function isUsable({ context }: OtelLink): boolean {
  return isTraceId(context.traceId) && isSpanId(context.spanId);
}

function linkOf(link: OtelLink): SpanLink {
  const { context, droppedAttributesCount: droppedAttributes } = link;
  const { traceId, spanId } = context;
  const out: SpanLink = {
    traceId,
    spanId,
    flags: context.traceFlags,
    attributes: attributesOf(link.attributes),
  };
  const state = context.traceState?.serialize();
  if (state) out.traceState = state;
  if (droppedAttributes) out.droppedAttributes = droppedAttributes;
  return out;
}

/** OpenTelemetry's attributes as JSON. Newer versions of its API allow any value, so nothing is taken on trust. */
export function attributesOf(
  attributes: Readonly<Record<string, unknown>> | undefined,
  except?: ReadonlySet<string>,
): Attributes {
  const out: Attributes = {};
  for (const key in attributes) {
    if (except?.has(key)) continue;
    const value = attributeOf(attributes[key]);
    if (value !== undefined) setAttribute(out, key, value);
  }
  return out;
}

/** Assigning to `__proto__` would set the prototype instead. */
export function setAttribute(attributes: Attributes, key: string, value: AttributeValue): void {
  if (key !== "__proto__") attributes[key] = value;
  else
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
}

/** One attribute as JSON, `undefined` for what has no JSON. */
export function attributeOf(value: unknown): AttributeValue | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : { $double: String(value) };
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : { $int: value.toString() };
    default:
      if (types.isUint8Array(value)) return { $bytes: Buffer.from(value).toString("base64") };
      return captureJson(value);
  }
}

/** Resources and scopes are shared by all spans of a process: each is converted once. */
const converted = new WeakMap<object, unknown>();

function once<S extends object, R>(source: S, convert: (source: S) => R): R {
  let known = converted.get(source) as R | undefined;
  if (known === undefined) {
    known = convert(source);
    converted.set(source, known);
  }
  return known;
}

function resourceOf({ attributes, schemaUrl }: OtelSpan["resource"]): SpanRecord["resource"] {
  return { attributes: attributesOf(attributes), ...(schemaUrl && { schemaUrl }) };
}

function instrumentationOf({ name, version, schemaUrl }: OtelScope): SpanRecord["instrumentation"] {
  return { name, ...(version && { version }), ...(schemaUrl && { schemaUrl }) };
}
