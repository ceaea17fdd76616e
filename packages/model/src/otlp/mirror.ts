import { GEN_AI, SPANLOOM } from "../attribute-keys.ts";
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
 * export, and the list of their keys. An attribute that the span already has is never overwritten.
 * Source: OpenTelemetry semantic conventions for generative AI, spans and agent spans.
 */
export function mirrorOf(span: SpanRecord, content: boolean): OtlpKeyValue[] {
  const { kind, usage, cost, firstTokenTime, input, output } = span;
  const list: OtlpKeyValue[] = [];
  const add = (key: string, value: OtlpAnyValue | undefined): void => {
    if (value !== undefined && !Object.hasOwn(span.attributes, key)) list.push({ key, value });
  };
  add(GEN_AI.operationName, plain(OPERATIONS[kind]));
  add(GEN_AI.providerName, plain(span.provider));
  add(GEN_AI.requestModel, plain(span.model));
  if (usage !== undefined) {
    add(GEN_AI.inputTokens, plain(usage.input));
    add(GEN_AI.outputTokens, plain(usage.output));
    add(GEN_AI.totalTokens, plain(usage.total));
    add(GEN_AI.cacheReadTokens, plain(usage.cachedInput));
    // Both names: the conventions are between them, and readers know one or the other.
    add(GEN_AI.cacheWriteTokens, plain(usage.cacheWrite));
    add(GEN_AI.cacheCreationTokens, plain(usage.cacheWrite));
    add(GEN_AI.reasoningTokens, plain(usage.reasoning));
  }
  if (cost !== undefined) add(GEN_AI.cost, { doubleValue: usdFromNanoUsd(cost.nanoUsd) });
  add(GEN_AI.agentName, plain(span.agent));
  add(GEN_AI.conversationId, plain(span.threadId));
  add(GEN_AI.finishReasons, plain(span.finishReasons));
  if (firstTokenTime !== undefined) {
    const waitMs = millisBetween(span.startTime, firstTokenTime);
    if (waitMs >= 0) add(GEN_AI.timeToFirstChunk, { doubleValue: waitMs / 1e3 });
  }
  if (kind === "tool") add(GEN_AI.toolName, plain(span.name.replace(/^execute_tool /, "")));
  if (content) {
    add(GEN_AI.inputMessages, messages(input));
    add(GEN_AI.outputMessages, messages(output));
    if (kind === "tool") {
      add(GEN_AI.toolArguments, payload(input));
      add(GEN_AI.toolResult, payload(output));
    }
  }
  if (list.length > 0) list.push({ key: SPANLOOM.mirrored, value: plain(list.map(({ key }) => key)) ?? {} });
  return list;
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
