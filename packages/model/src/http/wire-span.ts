import type { Content, JsonContent, Message, MessagePart, MessagesContent, TextContent } from "../content.ts";
import { type Cost, usdFromNanoUsd } from "../cost.ts";
import type { RawContent } from "../ports/content-vault.ts";
import type { Artifact, SpanEvent, SpanLink, SpanRecord, SpanSkeleton } from "../span.ts";
import type { TokenUsage } from "../usage.ts";
import { type Codec, list, type Struct, struct } from "./struct.ts";
import { money, rfc3339, time, usd } from "./units.ts";

/** Spans on the wire. Keys of attributes, states and tool arguments are the host's and stay as they are. */

const usage = struct<TokenUsage>({
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
  subtotal: true,
});
const costParts = struct<NonNullable<Cost["parts"]>>({
  input: usd,
  output: usd,
  cachedInput: usd,
  cacheWrite: usd,
  fee: usd,
});
const cost = struct<Cost>({
  nanoUsd: money,
  source: true,
  priceVersion: true,
  parts: costParts,
});
const contentBase = {
  format: true,
  state: true,
  reason: true,
  hash: true,
  length: true,
  redactions: true,
  ref: true,
} as const;
const message = struct<Message>({
  role: true,
  parts: list({ encode: encodePart, decode: decodePart }),
  name: true,
  finishReason: true,
});
const textContent = struct<TextContent>({ ...contentBase, text: true });
const jsonContent = struct<JsonContent>({ ...contentBase, json: true, text: true });
const messagesContent = struct<MessagesContent>({ ...contentBase, messages: list(message) });
const content: Codec = {
  encode: encodeContent,
  decode: (wire: unknown) => contentOf(wire).decode(wire),
};

const artifact = struct<Artifact>({
  artifactId: true,
  name: true,
  mediaType: true,
  sizeBytes: true,
  hash: true,
});
const status = struct<SpanSkeleton["status"]>({ code: true, message: true });
const event = struct<SpanEvent>({ name: true, time, attributes: true, droppedAttributes: true });
const link = struct<SpanLink>({
  traceId: true,
  spanId: true,
  traceState: true,
  flags: true,
  attributes: true,
  droppedAttributes: true,
});

const skeletonFields = {
  traceId: true,
  spanId: true,
  parentSpanId: { wire: "parent_id", codec: true },
  executionId: true,
  name: true,
  kind: true,
  nodeId: true,
  nodeType: true,
  attempt: true,
  agent: true,
  startTime: time,
  endTime: time,
  syntheticEnd: true,
  firstTokenTime: time,
  status,
  usage,
  cost,
  model: true,
  provider: true,
  artifacts: list(artifact),
  revision: true,
} as const;

export const wireSkeleton: Struct<SpanSkeleton> = {
  ...struct<SpanSkeleton>(skeletonFields),
  encode: encodeSkeleton,
};

const resource = struct<SpanRecord["resource"]>({
  attributes: true,
  droppedAttributes: true,
  schemaUrl: true,
});
const instrumentation = struct<SpanRecord["instrumentation"]>({
  name: true,
  version: true,
  attributes: true,
  droppedAttributes: true,
  schemaUrl: true,
});

export const wireSpan: Struct<SpanRecord> = {
  ...struct<SpanRecord>({
    ...skeletonFields,
    workflowId: true,
    workflowName: true,
    threadId: true,
    executionStatus: true,
    otelKind: true,
    attributes: true,
    events: list(event),
    links: list(link),
    finishReasons: true,
    input: content,
    output: content,
    stateBefore: content,
    stateAfter: content,
    cache: true,
    resource,
    instrumentation,
    traceState: true,
    flags: true,
    dropped: true,
    redactions: true,
    provenance: true,
    schemaVersion: true,
  }),
  encode: encodeSpan,
};

/** What `struct` would encode, written out: pages hold thousands of these, and a literal is made several times as fast. */
function encodeSkeleton(span: SpanSkeleton): WireKeys<SpanSkeleton> {
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_id: span.parentSpanId,
    execution_id: span.executionId,
    name: span.name,
    kind: span.kind,
    node_id: span.nodeId,
    node_type: span.nodeType,
    attempt: span.attempt,
    agent: span.agent,
    start_time: rfc3339(span.startTime),
    end_time: span.endTime && rfc3339(span.endTime),
    synthetic_end: span.syntheticEnd,
    first_token_time: span.firstTokenTime && rfc3339(span.firstTokenTime),
    status: span.status,
    usage: span.usage && encodeUsage(span.usage),
    cost: span.cost && encodeCost(span.cost),
    model: span.model,
    provider: span.provider,
    artifacts: span.artifacts?.map(artifact.encode),
    revision: span.revision,
  };
}

function encodeSpan(span: SpanRecord): WireKeys<SpanRecord> {
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_id: span.parentSpanId,
    execution_id: span.executionId,
    name: span.name,
    kind: span.kind,
    node_id: span.nodeId,
    node_type: span.nodeType,
    attempt: span.attempt,
    agent: span.agent,
    start_time: rfc3339(span.startTime),
    end_time: span.endTime && rfc3339(span.endTime),
    synthetic_end: span.syntheticEnd,
    first_token_time: span.firstTokenTime && rfc3339(span.firstTokenTime),
    status: span.status,
    usage: span.usage && encodeUsage(span.usage),
    cost: span.cost && encodeCost(span.cost),
    model: span.model,
    provider: span.provider,
    artifacts: span.artifacts?.map(artifact.encode),
    revision: span.revision,
    workflow_id: span.workflowId,
    workflow_name: span.workflowName,
    thread_id: span.threadId,
    execution_status: span.executionStatus,
    otel_kind: span.otelKind,
    attributes: span.attributes,
    events: span.events.map(event.encode),
    links: span.links.map(link.encode),
    finish_reasons: span.finishReasons,
    input: span.input && encodeContent(span.input),
    output: span.output && encodeContent(span.output),
    state_before: span.stateBefore && encodeContent(span.stateBefore),
    state_after: span.stateAfter && encodeContent(span.stateAfter),
    cache: span.cache,
    resource: {
      attributes: span.resource.attributes,
      dropped_attributes: span.resource.droppedAttributes,
      schema_url: span.resource.schemaUrl,
    },
    instrumentation: {
      name: span.instrumentation.name,
      version: span.instrumentation.version,
      attributes: span.instrumentation.attributes,
      dropped_attributes: span.instrumentation.droppedAttributes,
      schema_url: span.instrumentation.schemaUrl,
    },
    trace_state: span.traceState,
    flags: span.flags,
    dropped: span.dropped,
    redactions: span.redactions,
    provenance: span.provenance,
    schema_version: span.schemaVersion,
  };
}

function encodeUsage(used: TokenUsage): WireKeys<TokenUsage> {
  return {
    input: used.input,
    output: used.output,
    cached_input: used.cachedInput,
    cache_write: used.cacheWrite,
    reasoning: used.reasoning,
    total: used.total,
    subtotal: used.subtotal,
  };
}

/** The contents of a span as they were before redaction. */
export const wireRawContent: Struct<RawContent> = struct<RawContent>({
  input: content,
  output: content,
  stateBefore: content,
  stateAfter: content,
});

/** A span's tokens, for the list beside the spans. */
export function encodeSpanUsage(spanId: string, used: TokenUsage): Record<string, unknown> {
  return {
    span_id: spanId,
    input: used.input,
    output: used.output,
    cached_input: used.cachedInput,
    cache_write: used.cacheWrite,
    reasoning: used.reasoning,
    total: used.total,
    subtotal: used.subtotal,
  } satisfies WireKeys<TokenUsage> & { span_id: string };
}

function encodeCost({ nanoUsd, source, priceVersion, parts }: Cost): Record<string, unknown> {
  return {
    usd: usdFromNanoUsd(nanoUsd),
    source,
    price_version: priceVersion,
    parts: parts && costParts.encode(parts),
  };
}

/** Every field of `T` under its name on the wire: a new field does not compile until it is encoded. */
type WireKeys<T> = { [Key in keyof Required<T> as WireName<Key & string>]: unknown };
type WireName<Key extends string> = Key extends "parentSpanId" ? "parent_id" : SnakeCase<Key>;
type SnakeCase<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : "";

/** Written out for all formats at once; what a format does not have is left out. */
function encodeContent(
  inside: Content,
): WireKeys<TextContent> & WireKeys<JsonContent> & WireKeys<MessagesContent> {
  return {
    format: inside.format,
    state: inside.state,
    reason: inside.reason,
    hash: inside.hash,
    length: inside.length,
    redactions: inside.redactions,
    ref: inside.ref,
    json: inside.format === "json" ? inside.json : undefined,
    text: inside.format === "messages" ? undefined : inside.text,
    messages: inside.format === "messages" ? inside.messages?.map(encodeMessage) : undefined,
  };
}

function encodeMessage({ role, parts, name, finishReason }: Message): WireKeys<Message> {
  return { role, parts: parts.map(encodePart), name, finish_reason: finishReason };
}

function contentOf(value: unknown): Struct<TextContent> | Struct<JsonContent> | Struct<MessagesContent> {
  const format = (value as { format?: unknown } | null)?.format;
  return format === "text" ? textContent : format === "messages" ? messagesContent : jsonContent;
}

/** Message parts have two names of their own in camelCase; everything else in them is content. */
function encodePart(part: MessagePart): unknown {
  return part.type === "media" ? rename(part, "mimeType", "mime_type", "sizeBytes", "size_bytes") : part;
}

function decodePart(part: { type?: unknown } | null): unknown {
  return part?.type === "media" ? rename(part, "mime_type", "mimeType", "size_bytes", "sizeBytes") : part;
}

function rename(part: object, a: string, toA: string, b: string, toB: string): unknown {
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key === a ? toA : key === b ? toB : key, value]),
  );
}
