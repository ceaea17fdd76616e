import type { JsonValue, Message } from "@spanloom/model";
import { parseStructure } from "../../parse-json.ts";
import type { RecordDraft } from "../dialect.ts";
import { asMessages } from "../fields.ts";
import { readMessages } from "../messages.ts";
import { unflatten } from "../unflatten.ts";
import { isObject } from "../values.ts";

/** Where the messages are, and keys one of which the first message always has: to look for all of them takes longer. */
const FLAT = {
  input: { prefix: "gen_ai.prompt.", signs: ["gen_ai.prompt.0.role", "gen_ai.prompt.0.content"] },
  output: {
    prefix: "gen_ai.completion.",
    signs: ["gen_ai.completion.0.role", "gen_ai.completion.0.content"],
  },
} as const;

/**
 * Messages flattened by their place, as OpenLLMetry wrote them before `gen_ai.input.messages`:
 * `gen_ai.prompt.0.role`, `.content`, `.tool_calls.0.name`; `gen_ai.completion.0.finish_reason`.
 * Returns whether the field now holds them.
 */
export function moveIndexedMessages(draft: RecordDraft, field: "input" | "output"): boolean {
  const { prefix, signs } = FLAT[field];
  if (!signs.some((key) => draft.attribute(key) !== undefined)) return false;
  const flat = unflatten(draft, prefix);
  if (flat === undefined) return false;
  const role = field === "input" ? "user" : "assistant";
  const messages = readMessages(flat.items.map((item) => asApiMessage(item, role)));
  return messages !== undefined && draft.move(field, asMessages(messages), ...flat.keys);
}

function asApiMessage(item: JsonValue, role: Message["role"]): JsonValue {
  if (!isObject(item)) return { role, content: item };
  const { content, tool_calls, ...rest } = item;
  return {
    role,
    ...rest,
    ...(content !== undefined && { content: asContent(content, rest.role ?? role) }),
    ...(tool_calls !== undefined && {
      tool_calls: Array.isArray(tool_calls) ? tool_calls.map(asToolCall) : tool_calls,
    }),
  };
}

/** Contents other than a text were written as JSON text: a list of parts, and nothing where a model only called tools. */
function asContent(content: JsonValue, role: JsonValue): JsonValue {
  if (content === "null" && role === "assistant") return null;
  return (typeof content === "string" && partsIn(content)) || content;
}

function asToolCall(call: JsonValue): JsonValue {
  return isObject(call) && call.type === undefined ? { type: "tool_call", ...call } : call;
}

function partsIn(text: string): JsonValue[] | undefined {
  const parts = parseStructure(text);
  const typed =
    Array.isArray(parts) &&
    parts.length > 0 &&
    parts.every((part) => isObject(part) && typeof part.type === "string");
  return typed ? parts : undefined;
}
