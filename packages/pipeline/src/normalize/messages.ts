import type { JsonValue, Message, MessagePart } from "@spanloom/model";
import { readParts } from "./message-parts.ts";
import { isObject, type JsonObject } from "./values.ts";

/**
 * Chat messages in OpenTelemetry's shape (`{role, parts: [{type, content}]}`) or in the one that providers' APIs use
 * (`{role, content}`), a list of them or one. `undefined` where the value is anything else. What a message holds beyond
 * the fields of the model stands in a part of type `other`, so nothing is lost.
 */
export function readMessages(value: JsonValue | undefined): Message[] | undefined {
  const list = Array.isArray(value) ? value : isObject(value) ? [value] : [];
  if (list.length === 0) return undefined;
  const messages: Message[] = [];
  for (const item of list) {
    if (!isObject(item) || typeof item.role !== "string") return undefined;
    messages.push(readMessage(item, item.role));
  }
  return messages;
}

/** `gen_ai.system_instructions`: a text, parts, or messages. */
export function readInstructions(value: JsonValue | undefined): Message[] | undefined {
  const messages = readMessages(value);
  if (messages !== undefined) return messages;
  const parts = Array.isArray(value) ? value.flatMap(readParts) : readParts(value);
  return parts.length === 0 ? undefined : [{ role: "system", parts }];
}

function readMessage(message: JsonObject, role: string): Message {
  const { role: _role, parts, content, name, finish_reason, tool_calls, tool_call_id, ...rest } = message;
  let read: MessagePart[];
  if (role === "tool" && typeof tool_call_id === "string" && parts === undefined) {
    const response = content !== undefined && { response: content };
    read = [{ type: "tool_call_response", id: tool_call_id, ...response }];
  } else {
    if (tool_call_id !== undefined) rest.tool_call_id = tool_call_id;
    // A message that only calls tools often has an empty text beside them.
    read = content === "" && !isNothing(tool_calls) ? [] : listOf(content).flatMap(readParts);
  }
  read = read.concat(listOf(parts).flatMap(readParts), listOf(tool_calls).flatMap(readCall));
  const reason = finish_reason ?? rest.finishReason;
  if (typeof reason === "string" && reason === rest.finishReason) delete rest.finishReason;
  if (name !== undefined && typeof name !== "string") rest.name = name;
  if (finish_reason !== undefined && typeof finish_reason !== "string") rest.finish_reason = finish_reason;
  if (Object.values(rest).some((value) => !isNothing(value))) read.push({ type: "other", value: rest });
  return {
    role,
    parts: read,
    ...(typeof name === "string" && { name }),
    ...(typeof reason === "string" && { finishReason: reason }),
  };
}

/** Some providers name no type: what a message calls can only be a function. */
function readCall(call: JsonValue | undefined): MessagePart[] {
  if (!isObject(call) || call.type !== undefined) return readParts(call);
  const read = readParts({ ...call, type: isObject(call.function) ? "function" : "tool_call" });
  return read[0]?.type === "tool_call" ? read : readParts(call);
}

function listOf(value: JsonValue | undefined): (JsonValue | undefined)[] {
  return Array.isArray(value) ? value : [value];
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
