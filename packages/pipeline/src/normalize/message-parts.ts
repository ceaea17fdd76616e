import type { JsonValue, MessagePart } from "@spanloom/model";
import { parseStructure } from "../parse-json.ts";
import { isObject, type JsonObject } from "./values.ts";

/**
 * The part that a value stands for; none for nothing. Reads OpenTelemetry's parts and those of OpenAI's, Anthropic's,
 * LangChain's and the Vercel AI SDK's messages. What the caller told the provider about a part stands in a part of its own; a part with
 * any other field that its type does not have is kept whole as `other`.
 */
export function readParts(part: JsonValue | undefined): MessagePart[] {
  if (part === undefined || part === null) return [];
  if (typeof part === "string") return [{ type: "text", content: part }];
  if (!isObject(part)) return [{ type: "other", value: part }];
  const typed = readTyped(part);
  if (typed !== undefined) return [typed];
  const { providerOptions, providerMetadata, cache_control, ...plain } = part;
  const extended = Object.keys(plain).length < Object.keys(part).length ? readTyped(plain) : undefined;
  if (extended === undefined) return [{ type: "other", value: part }];
  const extensions = Object.entries({ providerOptions, providerMetadata, cache_control });
  return [extended, { type: "other", value: Object.fromEntries(extensions.filter(isGiven)) }];
}

function isGiven(entry: [string, JsonValue | undefined]): entry is [string, JsonValue] {
  return entry[1] !== undefined;
}

/** A tool call; arguments that are the text of a JSON structure become that structure. */
export function toolCall(
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

function readTyped(part: JsonObject): MessagePart | undefined {
  switch (part.type) {
    case "text":
    case "input_text":
    case "output_text":
      return readText(part);
    case "reasoning":
    case "thinking":
      return readReasoning(part);
    case "tool_call":
    case "tool_use":
    case "tool-call":
    case "function":
      return readToolCall(part);
    case "tool_call_response":
    case "tool_result":
    case "tool-result":
      return readToolResponse(part);
    case "uri":
    case "image_url":
      return readMedia(part);
    default:
      return undefined;
  }
}

function readText(part: JsonObject): MessagePart | undefined {
  const { type: _type, content, text, ...rest } = part;
  const said = content ?? text;
  return isEmpty(rest) && typeof said === "string" && (content === undefined || text === undefined)
    ? { type: "text", content: said }
    : undefined;
}

function readReasoning(part: JsonObject): MessagePart | undefined {
  const { type: _type, content, thinking, text, ...rest } = part;
  const said = content ?? thinking ?? text;
  const once = [content, thinking, text].filter((value) => value !== undefined).length === 1;
  return isEmpty(rest) && once && typeof said === "string" ? { type: "reasoning", content: said } : undefined;
}

function readToolCall(part: JsonObject): MessagePart | undefined {
  const { type, ...call } = part;
  if (type === "function") {
    const { id, function: called, ...rest } = call;
    if (!isEmpty(rest) || !isObject(called)) return undefined;
    const { name, arguments: given, ...more } = called;
    return isEmpty(more) ? toolCall(id, name, given) : undefined;
  }
  if (type === "tool-call") {
    const { toolCallId, toolName, input, args, ...rest } = call;
    const once = input === undefined || args === undefined;
    return isEmpty(rest) && once ? toolCall(toolCallId, toolName, input ?? args) : undefined;
  }
  const { id, name, arguments: given, input, args, ...rest } = call;
  const once = [given, input, args].filter((value) => value !== undefined).length < 2;
  return isEmpty(rest) && once ? toolCall(id, name, given ?? input ?? args) : undefined;
}

/** What a tool answered: OpenTelemetry writes `response`, others `result`, `content` or `output`. */
function readToolResponse(part: JsonObject): MessagePart | undefined {
  const { type: _type, id, toolCallId, tool_use_id, response, result, content, output, ...rest } = part;
  const ids = [id, toolCallId, tool_use_id].filter((value) => value !== undefined && value !== null);
  const said = [response, result, content, output].filter((value) => value !== undefined);
  if (!isEmpty(rest) || ids.length > 1 || said.length > 1 || !isOptionalText(ids[0])) return undefined;
  return {
    type: "tool_call_response",
    ...(typeof ids[0] === "string" && { id: ids[0] }),
    ...(said[0] !== undefined && { response: output === undefined ? said[0] : unwrapOutput(output) }),
  };
}

/** The Vercel AI SDK says of an output whether it is text or JSON; the value shows that by itself. */
function unwrapOutput(output: JsonValue): JsonValue {
  if (!isObject(output)) return output;
  const { type, value, ...rest } = output;
  const plain = type === "json" || (type === "text" && typeof value === "string");
  return plain && value !== undefined && isEmpty(rest) ? value : output;
}

function readMedia(part: JsonObject): MessagePart | undefined {
  if (part.type === "image_url") {
    const { type: _type, image_url, ...rest } = part;
    const { url, ...more } = isObject(image_url) ? image_url : { url: image_url };
    if (!isEmpty(rest) || !isEmpty(more) || typeof url !== "string") return undefined;
    return { type: "media", modality: "image", uri: url };
  }
  const { type: _type, modality, mime_type, uri, ...rest } = part;
  if (!isEmpty(rest) || typeof uri !== "string" || !isOptionalText(modality) || !isOptionalText(mime_type)) {
    return undefined;
  }
  return {
    type: "media",
    uri,
    ...(typeof modality === "string" && { modality }),
    ...(typeof mime_type === "string" && { mimeType: mime_type }),
  };
}

function isOptionalText(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function isEmpty(rest: object): boolean {
  return Object.keys(rest).length === 0;
}
