import { GEN_AI, type JsonValue, type MessagePart, type SpanKind } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import {
  asMessages,
  moveContent,
  moveCounts,
  moveFirstTokenAfter,
  moveJsonText,
  moveText,
} from "../fields.ts";
import { readParts, toolCall } from "../message-parts.ts";
import { readMessages } from "../messages.ts";
import { deriveKindAfterOperation, readOperation } from "../operations.ts";
import { isObject, readJson, readObject, readText } from "../values.ts";

const OPERATION = "ai.operationId";
const PROVIDER = "ai.model.provider";

/** The outer spans repeat the usage of the calls (`.doGenerate`, `.doStream`, `.doEmbed`) that they made. */
const KINDS: ReadonlyMap<string, { kind: SpanKind; sums?: true }> = new Map([
  ["ai.generateText", { kind: "agent", sums: true }],
  ["ai.streamText", { kind: "agent", sums: true }],
  ["ai.generateObject", { kind: "agent", sums: true }],
  ["ai.streamObject", { kind: "agent", sums: true }],
  ["ai.embed", { kind: "embedding", sums: true }],
  ["ai.embedMany", { kind: "embedding", sums: true }],
  ["ai.rerank", { kind: "retriever", sums: true }],
  ["ai.generateText.doGenerate", { kind: "llm" }],
  ["ai.streamText.doStream", { kind: "llm" }],
  ["ai.generateObject.doGenerate", { kind: "llm" }],
  ["ai.streamObject.doStream", { kind: "llm" }],
  ["ai.embed.doEmbed", { kind: "embedding" }],
  ["ai.embedMany.doEmbed", { kind: "embedding" }],
  ["ai.rerank.doRerank", { kind: "retriever" }],
  ["ai.toolCall", { kind: "tool" }],
]);

const COUNTS = {
  input: ["ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"],
  output: ["ai.usage.outputTokens", "ai.usage.completionTokens"],
  cachedInput: ["ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"],
  cacheWrite: ["ai.usage.inputTokenDetails.cacheWriteTokens"],
  reasoning: ["ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"],
  total: ["ai.usage.totalTokens"],
} as const;

/** What hosts call the conversation in `experimental_telemetry.metadata` (to 6) and in the runtime context (from 7). */
const THREAD_NAMES = [
  "threadId",
  "thread_id",
  "conversationId",
  "conversation_id",
  "chatId",
  "chat_id",
  "sessionId",
  "session_id",
];
const THREAD_KEYS: readonly string[] = ["ai.telemetry.metadata.", "ai.settings.context."].flatMap((prefix) =>
  THREAD_NAMES.map((name) => prefix + name),
);

/**
 * Vercel AI SDK: the `ai.*` spans of its versions 5 and 6 and of 7's `LegacyOpenTelemetry`, and what 7 still writes as
 * `ai.*` beside `gen_ai.*`. Source: the packages `ai` and `@ai-sdk/otel`.
 */
export const aiSdkDialect: Dialect = {
  name: "ai_sdk",
  prefixes: ["ai."],
  normalize: (draft) => {
    const operation = readText(draft.attribute(OPERATION));
    const known = operation === undefined ? undefined : KINDS.get(operation);
    deriveKindAfterOperation(draft, known?.kind, OPERATION);
    moveText(draft, "model", "ai.response.model", GEN_AI.responseModel, "ai.model.id", GEN_AI.requestModel);
    readProvider(draft);
    moveText(draft, "agent", "ai.telemetry.functionId");
    moveText(draft, "threadId", ...THREAD_KEYS);
    const before = draft.record.usage;
    moveCounts(draft, COUNTS);
    const sums = known?.sums ?? readOperation(draft)?.sums;
    if (sums && draft.record.usage !== before)
      draft.deriveUsage({ subtotal: true }, known ? OPERATION : GEN_AI.operationName);
    moveFirstTokenAfter(draft, 1e3, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk");
    readInput(draft);
    readOutput(draft);
  },
};

/** `openai.chat` is the provider and its API. The key stays, because the API is not in the field. */
function readProvider(draft: RecordDraft): void {
  const named = readText(draft.attribute(PROVIDER));
  if (named === undefined || named === "") return;
  const provider = named.split(".", 1)[0] as string;
  if (provider === named) draft.move("provider", provider, PROVIDER);
  else if (draft.derive("provider", provider, PROVIDER) && draft.attribute(GEN_AI.system) === named) {
    draft.move("provider", provider, GEN_AI.system);
  }
}

function readInput(draft: RecordDraft): void {
  const messages = readMessages(asApiMessages(readJson(draft.attribute("ai.prompt.messages"))));
  if (messages !== undefined) draft.move("input", asMessages(messages), "ai.prompt.messages");
  readPrompt(draft);
  moveJsonText(draft, "input", "ai.toolCall.args");
  moveJsonText(draft, "input", "ai.value");
  moveJsonText(draft, "input", "ai.values");
}

/** What the caller gave: `{system?, prompt | messages}`. What else it holds keeps it as the JSON that it is. */
function readPrompt(draft: RecordDraft): void {
  const key = "ai.prompt";
  const given = readObject(draft.attribute(key));
  const { system, prompt, messages, ...rest } = given ?? {};
  const said =
    typeof prompt === "string" ? [{ role: "user", content: prompt }] : asApiMessages(messages ?? prompt);
  const all =
    typeof system === "string"
      ? [{ role: "system", content: system }, ...(Array.isArray(said) ? said : [])]
      : said;
  const read = readMessages(all);
  const whole = Object.keys(rest).length === 0 && (prompt === undefined || messages === undefined);
  const plain = system === undefined || typeof system === "string";
  if (read !== undefined && whole && plain) draft.move("input", asMessages(read), key);
  else moveContent(draft, "input", key);
}

/** A tool's answer names its tool, for which the model has a place on the message: one message an answer, as OpenAI has it. */
function asApiMessages(messages: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(messages)) return messages;
  return messages.flatMap((message): JsonValue[] => {
    if (!isObject(message) || message.role !== "tool" || !Array.isArray(message.content)) return [message];
    return message.content.map((part) => {
      if (!isObject(part) || typeof part.toolName !== "string") return { ...message, content: [part] };
      const { toolName, ...result } = part;
      return { ...message, name: toolName, content: [result] };
    });
  });
}

function readOutput(draft: RecordDraft): void {
  const reason = readText(draft.attribute("ai.response.finishReason"));
  if (reason !== undefined && reason !== "")
    draft.move("finishReasons", [reason], "ai.response.finishReason");
  readAnswer(draft, reason);
  moveContent(draft, "output", "ai.response.object");
  moveJsonText(draft, "output", "ai.toolCall.result");
  moveJsonText(draft, "output", "ai.embedding");
  moveJsonText(draft, "output", "ai.embeddings");
}

/** Reasoning, text and tool calls stand apart; together they are the one message that came back. */
function readAnswer(draft: RecordDraft, finishReason: string | undefined): void {
  const keys = {
    reasoning: "ai.response.reasoning",
    text: "ai.response.text",
    calls: "ai.response.toolCalls",
  };
  const reasoning = readText(draft.attribute(keys.reasoning));
  const text = readText(draft.attribute(keys.text));
  const calls = readJson(draft.attribute(keys.calls));
  const parts: MessagePart[] = [];
  const read: string[] = [];
  if (reasoning !== undefined) {
    read.push(keys.reasoning);
    if (reasoning !== "") parts.push({ type: "reasoning", content: reasoning });
  }
  if (text !== undefined) {
    read.push(keys.text);
    if (text !== "") parts.push({ type: "text", content: text });
  }
  if (Array.isArray(calls)) {
    read.push(keys.calls);
    parts.push(...calls.flatMap(readCall));
  }
  if (parts.length === 0) return;
  const message = { role: "assistant", parts, ...(finishReason !== undefined && { finishReason }) };
  draft.move("output", asMessages([message]), ...read);
}

/** `{toolCallId, toolName, input}`, with `args` before 5. What else a call says stands in a part of its own. */
function readCall(call: JsonValue): MessagePart[] {
  if (!isObject(call)) return readParts(call);
  const { type, toolCallType, toolCallId, toolName, input, args, ...rest } = call;
  const usual = (type ?? "tool-call") === "tool-call" && (toolCallType ?? "function") === "function";
  const part =
    usual && (input === undefined || args === undefined)
      ? toolCall(toolCallId, toolName, input ?? args)
      : undefined;
  if (part === undefined) return [{ type: "other", value: call }];
  return Object.keys(rest).length === 0 ? [part] : [part, { type: "other", value: rest }];
}
