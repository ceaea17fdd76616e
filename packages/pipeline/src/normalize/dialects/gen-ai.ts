import {
  type AttributeValue,
  type Content,
  GEN_AI,
  type JsonValue,
  type Message,
  nanoUsdFromUsd,
  type SpanKind,
  type TokenUsage,
} from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { readInstructions, readMessages } from "../messages.ts";
import { readCount, readJson, readNumber, readText, readTexts } from "../values.ts";

const PREFIX = "gen_ai.";

/** Spellings of before and beside the convention. The convention's own are in {@link GEN_AI}. */
const OLD = {
  cacheReadTokens: "gen_ai.usage.cache_read_input_tokens",
  cacheCreationTokens: "gen_ai.usage.cache_creation_input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning_tokens",
  timeToFirstChunk: "gen_ai.client.operation.time_to_first_chunk",
  prompt: "gen_ai.prompt",
  completion: "gen_ai.completion",
} as const;

const USAGE_KEYS = {
  input: [GEN_AI.inputTokens, GEN_AI.promptTokens],
  output: [GEN_AI.outputTokens, GEN_AI.completionTokens],
  cachedInput: [GEN_AI.cacheReadTokens, OLD.cacheReadTokens],
  cacheWrite: [GEN_AI.cacheWriteTokens, GEN_AI.cacheCreationTokens, OLD.cacheCreationTokens],
  reasoning: [GEN_AI.reasoningTokens, OLD.reasoningTokens],
  total: [GEN_AI.totalTokens],
} as const satisfies Record<Exclude<keyof TokenUsage, "subtotal">, readonly string[]>;

/** Operations that a kind stands for wholly: their key is consumed. */
const OPERATIONS: ReadonlyMap<string, SpanKind> = new Map([
  ["chat", "llm"],
  ["embeddings", "embedding"],
  ["retrieval", "retriever"],
  ["invoke_agent", "agent"],
  ["execute_tool", "tool"],
  ["invoke_workflow", "workflow"],
]);

/** Operations that say more than their kind: their key stays. */
const FINER_OPERATIONS: ReadonlyMap<string, SpanKind> = new Map([
  ["generate_content", "llm"],
  ["text_completion", "llm"],
  ["create_agent", "agent"],
  ["plan", "agent"],
  ["search_memory", "retriever"],
]);

/** OpenTelemetry's GenAI conventions, present and past spellings. Source: open-telemetry/semantic-conventions, docs/gen-ai. */
export const genAiDialect: Dialect = {
  name: "gen_ai",
  detect: (record) => {
    for (const key in record.attributes) if (key.startsWith(PREFIX)) return true;
    return false;
  },
  normalize: (draft) => {
    readKind(draft);
    readModel(draft);
    moveText(draft, "provider", GEN_AI.providerName, GEN_AI.system);
    moveText(draft, "agent", GEN_AI.agentName);
    moveText(draft, "threadId", GEN_AI.conversationId);
    readUsage(draft);
    readCost(draft);
    readFirstToken(draft);
    readInput(draft);
    readOutput(draft);
  },
};

function readKind(draft: RecordDraft): void {
  const operation = readText(draft.attribute(GEN_AI.operationName));
  if (operation === undefined) {
    if (draft.attribute(GEN_AI.toolName) !== undefined) draft.derive("kind", "tool", GEN_AI.toolName);
    return;
  }
  const kind = OPERATIONS.get(operation);
  if (kind !== undefined) draft.move("kind", kind, GEN_AI.operationName);
  const finer = FINER_OPERATIONS.get(operation);
  if (finer !== undefined) draft.derive("kind", finer, GEN_AI.operationName);
}

/** What answered is what is billed. The requested name stays as an attribute where it is another one. */
function readModel(draft: RecordDraft): void {
  moveText(draft, "model", GEN_AI.responseModel, GEN_AI.requestModel);
}

/** Moves the first text among the keys, and the others where they say the same. */
function moveText(
  draft: RecordDraft,
  field: "model" | "provider" | "agent" | "threadId",
  ...keys: string[]
): void {
  for (const key of keys) {
    const text = readText(draft.attribute(key));
    if (text !== undefined && text !== "") draft.move(field, text, key);
  }
}

function readUsage(draft: RecordDraft): void {
  const usage: TokenUsage = {};
  const consumed: string[] = [];
  for (const field of Object.keys(USAGE_KEYS) as (keyof typeof USAGE_KEYS)[]) {
    for (const key of USAGE_KEYS[field]) {
      const count = readCount(draft.attribute(key));
      if (count === undefined || (usage[field] ?? count) !== count) continue;
      usage[field] = count;
      consumed.push(key);
    }
  }
  if (consumed.length > 0) draft.move("usage", usage, ...consumed);
}

function readCost(draft: RecordDraft): void {
  const usd = readNumber(draft.attribute(GEN_AI.cost));
  if (usd === undefined || usd < 0) return;
  const nanoUsd = nanoUsdFromUsd(usd);
  if (Number.isSafeInteger(nanoUsd)) draft.move("cost", { nanoUsd, source: "reported" }, GEN_AI.cost);
}

/** Seconds from the span's start. */
function readFirstToken(draft: RecordDraft): void {
  for (const key of [GEN_AI.timeToFirstChunk, OLD.timeToFirstChunk]) {
    const seconds = readNumber(draft.attribute(key));
    if (seconds === undefined || seconds < 0 || seconds > 1e7) continue;
    const time = BigInt(draft.record.startTime) + BigInt(Math.round(seconds * 1e9));
    draft.move("firstTokenTime", time.toString(), key);
  }
}

function readInput(draft: RecordDraft): void {
  const instructions = readInstructions(readJson(draft.attribute(GEN_AI.systemInstructions)));
  const messages = readMessages(readJson(draft.attribute(GEN_AI.inputMessages)));
  if (instructions !== undefined || messages !== undefined) {
    const keys = [
      ...(messages === undefined ? [] : [GEN_AI.inputMessages]),
      ...(instructions === undefined ? [] : [GEN_AI.systemInstructions]),
    ];
    draft.move("input", asMessages([...(instructions ?? []), ...(messages ?? [])]), ...keys);
    return;
  }
  moveContent(draft, "input", GEN_AI.toolArguments);
  moveMessagesOrContent(draft, "input", OLD.prompt);
}

function readOutput(draft: RecordDraft): void {
  const reasons = readTexts(draft.attribute(GEN_AI.finishReasons));
  if (reasons !== undefined) draft.move("finishReasons", reasons, GEN_AI.finishReasons);
  const messages = readMessages(readJson(draft.attribute(GEN_AI.outputMessages)));
  if (messages !== undefined) {
    draft.move("output", asMessages(messages), GEN_AI.outputMessages);
    const given = messages.flatMap(({ finishReason }) => (finishReason === undefined ? [] : [finishReason]));
    if (given.length > 0) draft.derive("finishReasons", given, GEN_AI.outputMessages);
    return;
  }
  moveContent(draft, "output", GEN_AI.toolResult);
  moveMessagesOrContent(draft, "output", OLD.completion);
}

function moveMessagesOrContent(draft: RecordDraft, field: "input" | "output", key: string): void {
  const messages = readMessages(readJson(draft.attribute(key)));
  if (messages === undefined) moveContent(draft, field, key);
  else draft.move(field, asMessages(messages), key);
}

function moveContent(draft: RecordDraft, field: "input" | "output", key: string): void {
  const value = draft.attribute(key);
  if (value !== undefined) draft.move(field, asContent(value), key);
}

function asMessages(messages: Message[]): Content {
  return { format: "messages", state: "captured", messages };
}

/** JSON where the value is a structure or the text of one; text otherwise. */
function asContent(value: AttributeValue): Content {
  const json: JsonValue | undefined = readJson(value);
  if (typeof json === "object" && json !== null) return { format: "json", state: "captured", json };
  if (typeof value === "string") return { format: "text", state: "captured", text: value };
  return { format: "json", state: "captured", json: value };
}
