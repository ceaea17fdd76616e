import { SPANLOOM } from "../attribute-keys.ts";
import { canonicalJson } from "../json.ts";
import { OTEL_KINDS, type SpanEvent, type SpanLink, type SpanRecord, type SpanStatusCode } from "../span.ts";
import { toAnyValue, toKeyValues } from "./any-value.ts";
import { mirrorOf } from "./mirror.ts";
import type {
  OtlpEvent,
  OtlpKeyValue,
  OtlpLink,
  OtlpScopeSpans,
  OtlpSpan,
  OtlpTraces,
} from "./otlp-types.ts";
import { escapeKey, toOwnAttributes } from "./own-fields.ts";

export interface EncodeOtlpOptions {
  /**
   * Takes input, output and state along. False where absent: then nothing of them leaves, no length and no hash either,
   * and decoding gives spans without these fields.
   */
  content?: boolean;
}

/**
 * Spans as an OTLP/JSON `ExportTraceServiceRequest`, grouped by resource and scope. With `content: true`,
 * `decodeOtlp` gives the same records back (order aside). What OpenTelemetry has no place for travels in `spanloom.*`
 * attributes, and once more as `gen_ai.*` for other tools; a span with nothing of the kind travels as it is.
 *
 * Proto3's limits: a time of exactly 0, empty texts (status message, trace state, version, schema URL), counts and flags
 * of 0 and empty optional objects come back absent. Attributes nested deeper than 100 levels are left out and counted as dropped.
 */
export function encodeOtlp(spans: readonly SpanRecord[], options: EncodeOtlpOptions = {}): OtlpTraces {
  const keys = new Map<object, string>();
  const keyOf = (part: object): string => {
    const key = keys.get(part) ?? canonicalJson(part);
    keys.set(part, key);
    return key;
  };
  const resources = new Map<string, { first: SpanRecord; scopes: Map<string, SpanRecord[]> }>();
  for (const span of spans) {
    const resourceKey = keyOf(span.resource);
    const group = resources.get(resourceKey) ?? { first: span, scopes: new Map() };
    resources.set(resourceKey, group);
    const scopeKey = keyOf(span.instrumentation);
    const members = group.scopes.get(scopeKey);
    if (members === undefined) group.scopes.set(scopeKey, [span]);
    else members.push(span);
  }
  return {
    resourceSpans: Array.from(resources.values(), ({ first, scopes }) => ({
      resource: encodeAttributed(first.resource),
      scopeSpans: Array.from(scopes.values(), (members) => encodeScope(members, options.content === true)),
      schemaUrl: first.resource.schemaUrl,
    })),
  };
}

function encodeScope(members: readonly SpanRecord[], content: boolean): OtlpScopeSpans {
  const {
    name,
    version,
    attributes = {},
    droppedAttributes,
    schemaUrl,
  } = (members[0] as SpanRecord).instrumentation;
  return {
    scope: { name, version, ...encodeAttributed({ attributes, droppedAttributes }) },
    spans: members.map((span) => encodeSpan(span, content)),
    schemaUrl,
  };
}

function encodeSpan(span: SpanRecord, content: boolean): OtlpSpan {
  const own = toOwnAttributes(span, content);
  const { list, dropped } = toKeyValues(span.attributes);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.traceState,
    parentSpanId: span.parentSpanId,
    flags: span.flags,
    name: span.name,
    kind: OTEL_KINDS.indexOf(span.otelKind) + 1,
    startTimeUnixNano: span.startTime,
    endTimeUnixNano: span.endTime,
    attributes:
      own === undefined ? list : [...list.map(escaped), ...toKeyValues(own).list, ...mirrors(span, content)],
    droppedAttributesCount: (span.dropped?.attributes ?? 0) + dropped || undefined,
    events: span.events.map(encodeEvent),
    droppedEventsCount: span.dropped?.events,
    links: span.links.map(encodeLink),
    droppedLinksCount: span.dropped?.links,
    status: { code: STATUS_CODES[span.status.code], message: span.status.message },
  };
}

function encodeEvent(event: SpanEvent): OtlpEvent {
  return { timeUnixNano: event.time, name: event.name, ...encodeAttributed(event) };
}

function encodeLink(link: SpanLink): OtlpLink {
  const { traceId, spanId, traceState, flags } = link;
  return { traceId, spanId, traceState, ...encodeAttributed(link), flags };
}

function encodeAttributed(part: Pick<SpanEvent, "attributes" | "droppedAttributes">): {
  attributes: OtlpKeyValue[];
  droppedAttributesCount: number | undefined;
} {
  const { list, dropped } = toKeyValues(part.attributes);
  return { attributes: list, droppedAttributesCount: (part.droppedAttributes ?? 0) + dropped || undefined };
}

const STATUS_CODES: Record<SpanStatusCode, number> = { unset: 0, ok: 1, error: 2 };

function escaped({ key, value }: OtlpKeyValue): OtlpKeyValue {
  return { key: escapeKey(key), value };
}

function mirrors(span: SpanRecord, content: boolean): OtlpKeyValue[] {
  const list = mirrorOf(span, content);
  if (list.length === 0) return list;
  return [...list, { key: SPANLOOM.mirrored, value: toAnyValue(list.map(({ key }) => key)) }];
}
