import type { JsonValue, Message, MessagePart } from "@spanloom/model";
import { parseStructure } from "../parse-json.ts";

type JsonObject = { [key: string]: JsonValue };

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
  const read: MessagePart[] = [];
  if (role === "tool" && typeof tool_call_id === "string" && parts === undefined) {
    read.push({
      type: "tool_call_response",
      id: tool_call_id,
      ...(content !== undefined && { response: content }),
    });
  } else {
    if (tool_call_id !== undefined) rest.tool_call_id = tool_call_id;
    read.push(...(Array.isArray(content) ? content.flatMap(readParts) : readParts(content)));
  }
  read.push(...(Array.isArray(parts) ? parts.flatMap(readParts) : readParts(parts)));
  read.push(...(Array.isArray(tool_calls) ? tool_calls.flatMap(readParts) : readParts(tool_calls)));
  if (name !== undefined && typeof name !== "string") rest.name = name;
  if (finish_reason !== undefined && typeof finish_reason !== "string") rest.finish_reason = finish_reason;
  if (Object.keys(rest).some((key) => rest[key] !== null)) read.push({ type: "other", value: rest });
  return {
    role,
    parts: read,
    ...(typeof name === "string" && { name }),
    ...(typeof finish_reason === "string" && { finishReason: finish_reason }),
  };
}

/** One part; none for nothing. A part with a field that its type does not have is kept whole as `other`. */
function readParts(part: JsonValue | undefined): MessagePart[] {
  if (part === undefined || part === null) return [];
  if (typeof part === "string") return [{ type: "text", content: part }];
  if (!isObject(part)) return [{ type: "other", value: part }];
  return [readTyped(part) ?? { type: "other", value: part }];
}

function readTyped(part: JsonObject): MessagePart | undefined {
  switch (part.type) {
    case "text":
    case "input_text":
    case "output_text": {
      const { type: _type, content, text, ...rest } = part;
      const said = content ?? text;
      return isEmpty(rest) && typeof said === "string" && (content === undefined || text === undefined)
        ? { type: "text", content: said }
        : undefined;
    }
    case "reasoning":
    case "thinking": {
      const { type: _type, content, thinking, text, ...rest } = part;
      const said = content ?? thinking ?? text;
      return isEmpty(rest) && typeof said === "string" ? { type: "reasoning", content: said } : undefined;
    }
    case "tool_call": {
      const { type: _type, id, name, arguments: given, ...rest } = part;
      return isEmpty(rest) ? toolCall(id, name, given) : undefined;
    }
    case "function": {
      const { type: _type, id, function: called, ...rest } = part;
      if (!isEmpty(rest) || !isObject(called)) return undefined;
      const { name, arguments: given, ...more } = called;
      return isEmpty(more) ? toolCall(id, name, given) : undefined;
    }
    case "tool_call_response": {
      const { type: _type, id, response, result, ...rest } = part;
      if (!isEmpty(rest) || !isOptionalText(id) || (response !== undefined && result !== undefined))
        return undefined;
      const said = response ?? result;
      return {
        type: "tool_call_response",
        ...(typeof id === "string" && { id }),
        ...(said !== undefined && { response: said }),
      };
    }
    case "uri": {
      const { type: _type, modality, mime_type, uri, ...rest } = part;
      if (
        !isEmpty(rest) ||
        typeof uri !== "string" ||
        !isOptionalText(modality) ||
        !isOptionalText(mime_type)
      )
        return undefined;
      return {
        type: "media",
        uri,
        ...(typeof modality === "string" && { modality }),
        ...(typeof mime_type === "string" && { mimeType: mime_type }),
      };
    }
    default:
      return undefined;
  }
}

/** Arguments that are the text of a JSON structure become that structure. */
function toolCall(
  id: JsonValue | undefined,
  name: JsonValue | undefined,
  given: JsonValue | undefined,
): MessagePart | undefined {
  if (typeof name !== "string" || !isOptionalText(id)) return undefined;
  return {
    type: "tool_call",
    ...(typeof id === "string" && { id }),
    name,
    ...(given !== undefined && {
      arguments: typeof given === "string" ? (parseStructure(given) ?? given) : given,
    }),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOptionalText(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function isEmpty(rest: object): boolean {
  return Object.keys(rest).length === 0;
}
