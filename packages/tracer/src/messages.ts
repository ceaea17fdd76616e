import type { JsonValue, Message, MessagePart } from "@spanloom/model";

type JsonObject = { [key: string]: JsonValue };

/**
 * Reads a list of chat messages: in the model's shape (`role`, `parts`) or as most SDKs write them (`role`, `content`,
 * `tool_calls`). Gives `undefined` for anything else, so that it is kept as JSON.
 */
export function readMessages(json: JsonValue): Message[] | undefined {
  if (!Array.isArray(json) || json.length === 0) return undefined;
  const messages: Message[] = [];
  for (const item of json) {
    const message = isObject(item) ? readMessage(item) : undefined;
    if (message === undefined) return undefined;
    messages.push(message);
  }
  return messages;
}

function readMessage(item: JsonObject): Message | undefined {
  const { role, name } = item;
  if (typeof role !== "string") return undefined;
  if (item.parts === undefined && item.content === undefined && item.tool_calls === undefined)
    return undefined;
  const message: Message = {
    role,
    parts: Array.isArray(item.parts) ? item.parts.map(readPart) : readContent(item),
  };
  if (typeof name === "string") message.name = name;
  const finishReason = item.finishReason ?? item.finish_reason;
  if (typeof finishReason === "string") message.finishReason = finishReason;
  return message;
}

function readContent(item: JsonObject): MessagePart[] {
  const { role, content, tool_calls: toolCalls, tool_call_id: toolCallId } = item;
  if (role === "tool") {
    const part: MessagePart = { type: "tool_call_response", response: content ?? null };
    if (typeof toolCallId === "string") part.id = toolCallId;
    return [part];
  }
  // No `push(...list)`: a long list would overflow the stack.
  const parts: MessagePart[] = Array.isArray(content) ? content.map(readPart) : [];
  if (typeof content === "string") {
    if (content !== "" || toolCalls === undefined) parts.push({ type: "text", content });
  } else if (!Array.isArray(content) && content !== undefined && content !== null) {
    parts.push({ type: "other", value: content });
  }
  return Array.isArray(toolCalls) ? parts.concat(toolCalls.map(readToolCall)) : parts;
}

function readPart(part: JsonValue): MessagePart {
  if (typeof part === "string") return { type: "text", content: part };
  if (!isObject(part)) return { type: "other", value: part };
  const { type, content, text, id, name } = part;
  const words = typeof content === "string" ? content : text;
  if (type === "text" && typeof words === "string") return { type: "text", content: words };
  if (type === "reasoning" && typeof words === "string") return { type: "reasoning", content: words };
  if (type === "tool_call" && typeof name === "string") {
    return withId(id, { type: "tool_call", name, arguments: part.arguments ?? part.args ?? null });
  }
  if (type === "tool_call_response") {
    return withId(id, { type: "tool_call_response", response: part.response ?? part.result ?? null });
  }
  return { type: "other", value: part };
}

function readToolCall(call: JsonValue): MessagePart {
  if (!isObject(call)) return { type: "other", value: call };
  const inner = isObject(call.function) ? call.function : call;
  if (typeof inner.name !== "string") return { type: "other", value: call };
  const given = inner.arguments ?? inner.args ?? inner.input ?? null;
  return withId(call.id, {
    type: "tool_call",
    name: inner.name,
    arguments: typeof given === "string" ? parsed(given) : given,
  });
}

/** OpenAI and others send a tool call's arguments as JSON text. */
function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function withId(id: JsonValue | undefined, part: Extract<MessagePart, { id?: string }>): MessagePart {
  return typeof id === "string" ? { ...part, id } : part;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
