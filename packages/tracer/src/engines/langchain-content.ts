import type { JsonValue, Message, MessagePart, TokenUsage } from "@spanloom/model";

/** What is read of a LangChain message, by shape: messages of several copies of `@langchain/core` may meet in one graph. */
interface LangChainMessage {
  getType(): string;
  content: unknown;
  name?: unknown;
  id?: unknown;
  tool_calls?: unknown;
  tool_call_id?: unknown;
  usage_metadata?: unknown;
  response_metadata?: unknown;
}

const ROLES: Record<string, string> = { human: "user", ai: "assistant" };
const MAX_DEPTH = 40;
const MAX_VALUES = 200_000;

export function isMessage(value: unknown): value is LangChainMessage {
  return isObject(value) && "content" in value && typeof value.getType === "function";
}

export function readMessage(message: LangChainMessage): Message {
  const type = message.getType();
  const role =
    ROLES[type] ??
    (type === "generic" && typeof (message as { role?: unknown }).role === "string"
      ? String((message as { role?: unknown }).role)
      : type);
  if (type === "tool") {
    const part: MessagePart = { type: "tool_call_response", response: toPlain(message.content) as JsonValue };
    if (typeof message.tool_call_id === "string") part.id = message.tool_call_id;
    return named({ role, parts: [part] }, message);
  }
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : [];
  const parts = readParts(message.content, calls.length > 0);
  for (const { name, args, id } of calls) {
    const part: MessagePart = {
      type: "tool_call",
      name: String(name),
      arguments: toPlain(args) as JsonValue,
    };
    if (typeof id === "string") part.id = id;
    parts.push(part);
  }
  return named({ role, parts }, message);
}

function named(out: Message, { name }: LangChainMessage): Message {
  if (typeof name === "string" && name !== "") out.name = name;
  return out;
}

function readParts(content: unknown, hasCalls: boolean): MessagePart[] {
  if (typeof content === "string") return content === "" && hasCalls ? [] : [{ type: "text", content }];
  if (!Array.isArray(content)) return [];
  const parts: MessagePart[] = [];
  for (const block of content) {
    if (typeof block === "string") parts.push({ type: "text", content: block });
    else if (isObject(block)) {
      const { type } = block;
      const reasoning = block.thinking ?? block.reasoning;
      // Tool calls stand in `tool_calls`, too, in one form for all providers.
      if (type === "tool_use" || type === "tool_call" || type === "function_call") continue;
      if (type === "text" && typeof block.text === "string")
        parts.push({ type: "text", content: block.text });
      else if (typeof reasoning === "string") parts.push({ type: "reasoning", content: reasoning });
      else parts.push(readMedia(block) ?? { type: "other", value: toPlain(block) as JsonValue });
    }
  }
  return parts;
}

function readMedia(block: Record<string, unknown>): MessagePart | undefined {
  const { type } = block;
  if (type !== "image_url" && type !== "image" && type !== "audio" && type !== "file") return undefined;
  const inner = isObject(block.image_url) ? block.image_url.url : block.image_url;
  const url = typeof inner === "string" ? inner : block.url;
  const part: MessagePart = { type: "media", modality: type === "image_url" ? "image" : type };
  // The bytes themselves are not kept: only where they are, or how many.
  if (typeof url === "string" && !url.startsWith("data:")) part.uri = url;
  else if (typeof url === "string") part.sizeBytes = Math.floor((url.length * 3) / 4);
  const mimeType = block.mime_type ?? block.mimeType;
  if (typeof mimeType === "string") part.mimeType = mimeType;
  return part;
}

/** A value of graph state with every LangChain message in it in the model's shape. A state of nothing but messages becomes their list. */
export function readState(value: unknown): unknown {
  try {
    return readMessagesIn(value);
  } catch {
    // Getters and proxies may throw. Capturing takes what it can.
    return value;
  }
}

function readMessagesIn(value: unknown): unknown {
  if (isMessage(value)) return [readMessage(value)];
  if (isObject(value)) {
    const { messages } = value;
    if (
      Object.keys(value).length === 1 &&
      Array.isArray(messages) &&
      messages.length > 0 &&
      messages.every(isMessage)
    ) {
      return messages.map(readMessage);
    }
  }
  return toPlain(value);
}

/** What one walk has copied, and how many values it may still look at: capturing cuts what is larger anyway. */
interface Walk {
  copies: Map<object, unknown>;
  left: number;
}

/** Each object is copied once: where objects point at each other, there is no end of ways through them. */
function toPlain(value: unknown, depth = 0, walk: Walk = { copies: new Map(), left: MAX_VALUES }): unknown {
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
  const known = walk.copies.get(value);
  if (known !== undefined) return known;
  if (isMessage(value)) {
    const message = readMessage(value);
    walk.copies.set(value, message);
    return message;
  }
  const members = Array.isArray(value) ? value.length : Object.keys(value).length;
  walk.left -= members + 1;
  if (walk.left < 0) return value;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    walk.copies.set(value, list);
    for (const member of value) list.push(toPlain(member, depth + 1, walk));
    return list;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const object: Record<string, unknown> = Object.create(null);
  walk.copies.set(value, object);
  for (const [key, member] of Object.entries(value)) object[key] = toPlain(member, depth + 1, walk);
  return object;
}

/** A model's answer: messages, usage, finish reasons and the model that gave it. */
export interface ModelAnswer {
  messages: Message[];
  text?: string;
  usage?: TokenUsage;
  finishReasons: string[];
  model?: string;
}

/** Reads LangChain's `LLMResult`. Every generation of the first prompt is one answer; their usage is one figure. */
export function readAnswer(result: unknown): ModelAnswer {
  const answer: ModelAnswer = { messages: [], finishReasons: [] };
  if (!isObject(result)) return answer;
  const generations = Array.isArray(result.generations) ? result.generations.flat().filter(isObject) : [];
  for (const { message, text, generationInfo } of generations) {
    const info = isObject(generationInfo) ? generationInfo : {};
    if (isMessage(message)) {
      const metadata = isObject(message.response_metadata) ? message.response_metadata : {};
      const reason = metadata.finish_reason ?? metadata.stop_reason ?? info.finish_reason;
      const out = readMessage(message);
      if (typeof reason === "string") {
        answer.finishReasons.push(reason);
        out.finishReason = reason;
      }
      answer.messages.push(out);
      const model = metadata.model_name ?? metadata.model;
      if (typeof model === "string") answer.model = model;
      answer.usage ??= readUsage(message.usage_metadata);
    } else if (typeof text === "string") {
      answer.text = (answer.text ?? "") + text;
    }
  }
  answer.usage ??= readOldUsage(result.llmOutput);
  return answer;
}

/** LangChain's `usage_metadata`: input includes cached tokens, output includes reasoning, as here. */
function readUsage(metadata: unknown): TokenUsage | undefined {
  if (!isObject(metadata)) return undefined;
  const input = isObject(metadata.input_token_details) ? metadata.input_token_details : {};
  const output = isObject(metadata.output_token_details) ? metadata.output_token_details : {};
  return usageOf({
    input: metadata.input_tokens,
    output: metadata.output_tokens,
    total: metadata.total_tokens,
    cachedInput: input.cache_read,
    cacheWrite: input.cache_creation,
    reasoning: output.reasoning,
  });
}

/** What models without `usage_metadata` give. */
function readOldUsage(llmOutput: unknown): TokenUsage | undefined {
  const usage = isObject(llmOutput) ? (llmOutput.tokenUsage ?? llmOutput.estimatedTokenUsage) : undefined;
  if (!isObject(usage)) return undefined;
  return usageOf({ input: usage.promptTokens, output: usage.completionTokens, total: usage.totalTokens });
}

function usageOf(counts: Record<string, unknown>): TokenUsage | undefined {
  const known = Object.entries(counts).filter(([, count]) => typeof count === "number");
  return known.length === 0 ? undefined : (Object.fromEntries(known) as TokenUsage);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
