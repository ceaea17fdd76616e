import type { Attributes, AttributeValue } from "../attributes.ts";
import { NOT_PERMITTED, visibleValue } from "../content-rule.ts";
import { canonicalJson } from "../json.ts";
import { OTEL_KINDS, type SpanEvent, type SpanLink, type SpanRecord, type SpanStatusCode } from "../span.ts";
import { toAnyValue } from "./any-value.ts";
import { mirrorOf } from "./mirror.ts";
import type {
  OtlpEvent,
  OtlpKeyValue,
  OtlpLink,
  OtlpScopeSpans,
  OtlpSpan,
  OtlpTraces,
} from "./otlp-types.ts";
import { escapeKey, ownKeyValues } from "./own-fields.ts";

export interface EncodeOtlpOptions {
  /**
   * Takes content along: input, output and state, attributes that hold such, and what errors say. False where absent:
   * then nothing of it leaves, no length and no hash either. Attributes that stay behind are counted as dropped.
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
  const own = ownKeyValues(span, content);
  const { list, dropped } = keyValuesOf(span.attributes, content, own !== undefined);
  if (own !== undefined) list.push(...own, ...mirrorOf(span, content));
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
    attributes: list,
    droppedAttributesCount: (span.dropped?.attributes ?? 0) + dropped || undefined,
    events: span.events.map((event) => encodeEvent(event, content)),
    droppedEventsCount: span.dropped?.events,
    links: span.links.map((link) => encodeLink(link, content)),
    droppedLinksCount: span.dropped?.links,
    status: { code: STATUS_CODES[span.status.code], message: content ? span.status.message : undefined },
  };
}

function encodeEvent(event: SpanEvent, content: boolean): OtlpEvent {
  return { timeUnixNano: event.time, name: event.name, ...encodeAttributed(event, content) };
}

function encodeLink(link: SpanLink, content: boolean): OtlpLink {
  const { traceId, spanId, traceState, flags } = link;
  return { traceId, spanId, traceState, ...encodeAttributed(link, content), flags };
}

function encodeAttributed(
  part: Pick<SpanEvent, "attributes" | "droppedAttributes">,
  content = true,
): {
  attributes: OtlpKeyValue[];
  droppedAttributesCount: number | undefined;
} {
  const { list, dropped } = keyValuesOf(part.attributes, content);
  return { attributes: list, droppedAttributesCount: (part.droppedAttributes ?? 0) + dropped || undefined };
}

/** Attributes as OTLP's list, and how many were left out: as content, or because they are nested too deep for it. */
function keyValuesOf(
  attributes: Attributes,
  content: boolean,
  escapes = false,
): { list: OtlpKeyValue[]; dropped: number } {
  const list: OtlpKeyValue[] = [];
  let dropped = 0;
  for (const key of Object.keys(attributes)) {
    const value = attributes[key] as AttributeValue;
    const shown = content ? value : visibleValue(key, value);
    if (shown === NOT_PERMITTED && value !== NOT_PERMITTED) dropped++;
    else
      try {
        list.push({ key: escapes ? escapeKey(key) : key, value: toAnyValue(shown) });
      } catch {
        dropped++;
      }
  }
  return { list, dropped };
}

const STATUS_CODES: Record<SpanStatusCode, number> = { unset: 0, ok: 1, error: 2 };
