import { isSpanloomError, SpanloomError } from "../errors.ts";
import { isSpanId, isTraceId } from "../ids.ts";
import { recordProblem } from "../record-schema.ts";
import { OTEL_KINDS, SCHEMA_VERSION, type SpanEvent, type SpanLink, type SpanRecord } from "../span.ts";
import { fromKeyValues } from "./any-value.ts";
import { fromOwnAttributes, isOwn } from "./own-fields.ts";
import {
  type JsonObject,
  malformed,
  readEnum,
  readList,
  readNanos,
  readObject,
  readOptionalText,
  readOptionalUint32,
  readText,
} from "./read-json.ts";

export interface DecodedOtlp {
  /** Every one is fit to be stored. Spans of one resource share their `resource` object. */
  spans: SpanRecord[];
  /** Spans that cannot be read, by their place among all spans of the request, and why. Holds no content. */
  rejected: { index: number; message: string }[];
}

/**
 * Reads an OTLP/JSON `ExportTraceServiceRequest` from any exporter. Spans that Spanloom encoded come back as they were;
 * of all others every attribute stays where it is, `kind` is `internal` and `executionId` the trace id, for dialects to
 * say more. An absent or zero end is a running span. One bad span never harms the others; links without valid ids are
 * left out and counted as dropped. Throws `invalid_record` where the request has no resource, scope and span lists to go by.
 */
export function decodeOtlp(request: unknown): DecodedOtlp {
  const decoded: DecodedOtlp = { spans: [], rejected: [] };
  let index = 0;
  for (const { resource, scope, spans } of scopesOf(request)) {
    const shared = attempt(() => ({
      resource: decodeResource(resource),
      instrumentation: decodeScope(scope),
    }));
    for (const span of spans) {
      const result = "problem" in shared ? shared : attempt(() => decodeSpan(span, shared.value));
      if ("problem" in result) decoded.rejected.push({ index, message: result.problem });
      else decoded.spans.push(result.value);
      index++;
    }
  }
  return decoded;
}

type Shared = Pick<SpanRecord, "resource" | "instrumentation">;

function decodeSpan(raw: unknown, shared: Shared): SpanRecord {
  const span = readObject(raw, "A span");
  const traceId = readText(span.traceId, "A trace id").toLowerCase();
  const parentSpanId = readText(span.parentSpanId, "A parent span id").toLowerCase();
  const startTime = readNanos(span.startTimeUnixNano, "A start time");
  const endTime = readNanos(span.endTimeUnixNano, "An end time");
  if (startTime === "0") throw malformed("A span", "must have a start time");
  const { code, message } = readObject(span.status, "A status");
  const { links, dropped: badLinks } = decodeLinks(span.links);
  const kind = readEnum(span.kind, "SPAN_KIND_", ["unspecified", ...OTEL_KINDS] as const);
  const foreign: SpanRecord = {
    traceId,
    spanId: readText(span.spanId, "A span id").toLowerCase(),
    ...given("parentSpanId", /^0*$/.test(parentSpanId) ? undefined : parentSpanId),
    executionId: traceId,
    name: readText(span.name, "A name"),
    kind: "internal",
    otelKind: kind === "unspecified" ? "internal" : kind,
    startTime,
    ...given("endTime", endTime === "0" ? undefined : endTime),
    status: {
      code: readEnum(code, "STATUS_CODE_", ["unset", "ok", "error"] as const),
      ...given("message", readOptionalText(message, "A status message")),
    },
    attributes: fromKeyValues(span.attributes),
    events: readList(span.events, "Events").map(decodeEvent),
    links,
    ...given("traceState", readOptionalText(span.traceState, "A trace state")),
    ...given("flags", readOptionalUint32(span.flags, "Flags")),
    ...given("dropped", decodeDropped(span, badLinks)),
    ...shared,
    schemaVersion: SCHEMA_VERSION,
    revision: 0,
  };
  const record = isOwn(foreign.attributes) ? withOwnFields(foreign) : foreign;
  const problem = recordProblem(record);
  if (problem !== undefined) throw malformed("A span", `cannot be kept: ${problem}`);
  return record;
}

/** The fields are as somebody wrote them until `recordProblem` has checked the record. */
function withOwnFields(record: SpanRecord): SpanRecord {
  const { attributes, fields } = fromOwnAttributes(record.attributes);
  return Object.assign(record, fields, { attributes });
}

function decodeEvent(raw: unknown): SpanEvent {
  const event = readObject(raw, "An event");
  return {
    name: readText(event.name, "An event's name"),
    time: readNanos(event.timeUnixNano, "An event's time"),
    ...decodeAttributed(event),
  };
}

function decodeLinks(raw: unknown): { links: SpanLink[]; dropped: number } {
  const all = readList(raw, "Links").map((item) => {
    const link = readObject(item, "A link");
    return {
      traceId: readText(link.traceId, "A link's trace id").toLowerCase(),
      spanId: readText(link.spanId, "A link's span id").toLowerCase(),
      ...given("traceState", readOptionalText(link.traceState, "A link's trace state")),
      ...given("flags", readOptionalUint32(link.flags, "A link's flags")),
      ...decodeAttributed(link),
    };
  });
  const links = all.filter((link) => isTraceId(link.traceId) && isSpanId(link.spanId));
  return { links, dropped: all.length - links.length };
}

function decodeDropped(span: JsonObject, badLinks: number): SpanRecord["dropped"] {
  const attributes = readOptionalUint32(span.droppedAttributesCount, "A count of dropped attributes");
  const events = readOptionalUint32(span.droppedEventsCount, "A count of dropped events");
  const links =
    (readOptionalUint32(span.droppedLinksCount, "A count of dropped links") ?? 0) + badLinks || undefined;
  if (attributes === undefined && events === undefined && links === undefined) return undefined;
  return { ...given("attributes", attributes), ...given("events", events), ...given("links", links) };
}

function decodeResource(resourceSpans: JsonObject): SpanRecord["resource"] {
  return {
    ...decodeAttributed(readObject(resourceSpans.resource, "A resource")),
    ...given("schemaUrl", readOptionalText(resourceSpans.schemaUrl, "A schema URL")),
  };
}

function decodeScope(scopeSpans: JsonObject): SpanRecord["instrumentation"] {
  const scope = readObject(scopeSpans.scope, "A scope");
  const { attributes, ...dropped } = decodeAttributed(scope);
  return {
    name: readText(scope.name, "A scope's name"),
    ...given("version", readOptionalText(scope.version, "A scope's version")),
    ...given("attributes", Object.keys(attributes).length > 0 ? attributes : undefined),
    ...dropped,
    ...given("schemaUrl", readOptionalText(scopeSpans.schemaUrl, "A schema URL")),
  };
}

function decodeAttributed(part: JsonObject): Pick<SpanEvent, "attributes" | "droppedAttributes"> {
  const count = readOptionalUint32(part.droppedAttributesCount, "A count of dropped attributes");
  return { attributes: fromKeyValues(part.attributes), ...given("droppedAttributes", count) };
}

interface ScopeOfRequest {
  resource: JsonObject;
  scope: JsonObject;
  spans: readonly unknown[];
}

function scopesOf(request: unknown): ScopeOfRequest[] {
  if (typeof request !== "object" || request === null || Array.isArray(request)) throw notARequest();
  const resources = readList((request as JsonObject).resourceSpans, "resourceSpans");
  return resources.flatMap((item) => {
    const resource = readObject(item, "A member of resourceSpans");
    return readList(resource.scopeSpans, "scopeSpans").map((member) => {
      const scope = readObject(member, "A member of scopeSpans");
      return { resource, scope, spans: readList(scope.spans, "spans") };
    });
  });
}

function notARequest(): SpanloomError {
  return new SpanloomError("invalid_record", {
    what: "This is no OTLP trace request.",
    why: "It is not a JSON object.",
    fix: 'Send an ExportTraceServiceRequest: {"resourceSpans": [...]}.',
  });
}

function attempt<T>(read: () => T): { value: T } | { problem: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (isSpanloomError(error)) return { problem: error.message };
    throw error;
  }
}

/** The member, or nothing where its value is absent, so that records hold no `undefined`. */
function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T });
}
