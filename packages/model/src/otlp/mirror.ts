import { GEN_AI } from "../attribute-keys.ts";
import type { Content, Message, MessagePart } from "../content.ts";
import { usdFromNanoUsd } from "../cost.ts";
import { canonicalJson, type JsonValue } from "../json.ts";
import type { SpanKind, SpanRecord } from "../span.ts";
import { millisBetween } from "../time.ts";
import { toAnyValue } from "./any-value.ts";
import type { OtlpAnyValue, OtlpKeyValue } from "./otlp-types.ts";

/** Kinds that OpenTelemetry's GenAI conventions have an operation for. */
const OPERATIONS: Partial<Record<SpanKind, string>> = {
  workflow: "invoke_workflow",
  agent: "invoke_agent",
  llm: "chat",
  tool: "execute_tool",
  retriever: "retrieval",
  embedding: "embeddings",
};

/**
 * The span's normalised fields once more as canonical `gen_ai.*` attributes, for every other tool that reads the
 * export. An attribute that the span already has is never overwritten.
 * Source: OpenTelemetry semantic conventions for generative AI, spans and agent spans.
 */
export function mirrorOf(span: SpanRecord, content: boolean): OtlpKeyValue[] {
  const { usage, firstTokenTime } = span;
  const wait = firstTokenTime === undefined ? undefined : millisBetween(span.startTime, firstTokenTime);
  const all: [key: string, value: OtlpAnyValue | undefined][] = [
    [GEN_AI.operationName, plain(OPERATIONS[span.kind])],
    [GEN_AI.providerName, plain(span.provider)],
    [GEN_AI.requestModel, plain(span.model)],
    [GEN_AI.inputTokens, plain(usage?.input)],
    [GEN_AI.outputTokens, plain(usage?.output)],
    [GEN_AI.totalTokens, plain(usage?.total)],
    [GEN_AI.cacheReadTokens, plain(usage?.cachedInput)],
    // Both names: the conventions are between them, and readers know one or the other.
    [GEN_AI.cacheWriteTokens, plain(usage?.cacheWrite)],
    [GEN_AI.cacheCreationTokens, plain(usage?.cacheWrite)],
    [GEN_AI.reasoningTokens, plain(usage?.reasoning)],
    [GEN_AI.cost, span.cost && { doubleValue: usdFromNanoUsd(span.cost.nanoUsd) }],
    [GEN_AI.agentName, plain(span.agent)],
    [GEN_AI.conversationId, plain(span.threadId)],
    [GEN_AI.finishReasons, plain(span.finishReasons)],
    [GEN_AI.timeToFirstChunk, wait !== undefined && wait >= 0 ? { doubleValue: wait / 1e3 } : undefined],
    [GEN_AI.toolName, span.kind === "tool" ? plain(span.name.replace(/^execute_tool /, "")) : undefined],
  ];
  if (content) {
    all.push([GEN_AI.inputMessages, messages(span.input)], [GEN_AI.outputMessages, messages(span.output)]);
    if (span.kind === "tool") {
      all.push([GEN_AI.toolArguments, payload(span.input)], [GEN_AI.toolResult, payload(span.output)]);
    }
  }
  return all.flatMap(([key, value]) =>
    value === undefined || Object.hasOwn(span.attributes, key) ? [] : [{ key, value }],
  );
}

function plain(value: string | number | string[] | undefined): OtlpAnyValue | undefined {
  return value === undefined ? undefined : toAnyValue(value);
}

function messages(content: Content | undefined): OtlpAnyValue | undefined {
  if (content?.format !== "messages" || content.messages === undefined) return undefined;
  return { stringValue: canonicalJson(content.messages.map(otelMessage)) };
}

function payload(content: Content | undefined): OtlpAnyValue | undefined {
  if (content === undefined || content.format === "messages") return undefined;
  const text =
    content.format === "json" && content.json !== undefined ? canonicalJson(content.json) : content.text;
  return plain(text);
}

function otelMessage(message: Message): object {
  const { role, name, parts, finishReason } = message;
  return { role, name, parts: parts.map(otelPart), finish_reason: finishReason };
}

function otelPart(part: MessagePart): object | JsonValue {
  if (part.type === "other") return part.value;
  if (part.type !== "media") return part;
  const { modality, mimeType, uri, sizeBytes } = part;
  return {
    type: uri === undefined ? "media" : "uri",
    modality,
    mime_type: mimeType,
    uri,
    size_bytes: sizeBytes,
  };
}
