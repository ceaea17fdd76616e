import type { AttributeValue, Content, Cost, JsonValue, SpanKind } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { asContent, asMessages, hasMessages, isId, moveCounts, moveText, readNanoUsd } from "../fields.ts";
import { readMessages } from "../messages.ts";
import { unflatten } from "../unflatten.ts";
import { isObject, type JsonObject, readText } from "../values.ts";

const KIND = "openinference.span.kind";

/** Kinds that say no more than ours: their key is consumed. */
const WHOLE: ReadonlyMap<string, SpanKind> = new Map([
  ["LLM", "llm"],
  ["TOOL", "tool"],
  ["AGENT", "agent"],
  ["RETRIEVER", "retriever"],
  ["EMBEDDING", "embedding"],
]);

const COUNTS = {
  input: ["llm.token_count.prompt"],
  output: ["llm.token_count.completion"],
  cachedInput: ["llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"],
  cacheWrite: ["llm.token_count.prompt_details.cache_write"],
  reasoning: ["llm.token_count.completion_details.reasoning"],
  total: ["llm.token_count.total"],
} as const;

const COST = { total: "llm.cost.total", input: "llm.cost.prompt", output: "llm.cost.completion" } as const;

/** OpenInference of Arize. Source: `@arizeai/openinference-semantic-conventions`. */
export const openInferenceDialect: Dialect = {
  name: "openinference",
  prefixes: [
    "openinference.",
    "llm.token_count.",
    "llm.model_name",
    "llm.input_messages.",
    "llm.output_messages.",
  ],
  normalize: (draft) => {
    readKind(draft);
    moveText(draft, "model", "llm.response.model_name", "llm.model_name", "llm.request.model_name");
    moveText(draft, "model", "embedding.model_name", "reranker.model_name");
    moveText(draft, "provider", "llm.provider", "llm.system");
    moveText(draft, "agent", "agent.name");
    moveText(draft, "threadId", "session.id");
    const node = draft.attribute("graph.node.id");
    if (isId(node)) draft.move("nodeId", node, "graph.node.id");
    moveCounts(draft, COUNTS);
    readCost(draft);
    const reason = readText(draft.attribute("llm.finish_reason"));
    if (reason !== undefined && reason !== "") draft.move("finishReasons", [reason], "llm.finish_reason");
    readContents(draft);
  },
};

/** A chain is a step of the workflow, or the workflow itself where nothing is above it. */
function readKind(draft: RecordDraft): void {
  const name = readText(draft.attribute(KIND));
  const whole = WHOLE.get(name ?? "");
  if (whole !== undefined) draft.move("kind", whole, KIND);
  else if (name === "CHAIN")
    draft.derive("kind", draft.record.parentSpanId === undefined ? "workflow" : "node", KIND);
  else if (name === "RERANKER") draft.derive("kind", "retriever", KIND);
}

function readCost(draft: RecordDraft): void {
  const input = readNanoUsd(draft.attribute(COST.input));
  const output = readNanoUsd(draft.attribute(COST.output));
  const split = input !== undefined && output !== undefined ? input + output : undefined;
  const nanoUsd = readNanoUsd(draft.attribute(COST.total)) ?? split;
  if (nanoUsd === undefined) return;
  const parts = { ...(input !== undefined && { input }), ...(output !== undefined && { output }) };
  const cost: Cost = { nanoUsd, source: "reported", ...(Object.keys(parts).length > 0 && { parts }) };
  const keys = [COST.total, COST.input, COST.output].filter(
    (key) => readNanoUsd(draft.attribute(key)) !== undefined,
  );
  draft.move("cost", cost, ...keys);
}

function readContents(draft: RecordDraft): void {
  moveMessages(draft, "input", "llm.input_messages.");
  moveMessages(draft, "output", "llm.output_messages.");
  moveDocuments(draft, "output", "retrieval.documents.");
  moveDocuments(draft, "output", "reranker.output_documents.");
  moveValue(draft, "input", "input.value", "input.mime_type");
  moveValue(draft, "output", "output.value", "output.mime_type");
  const parameters = draft.attribute("tool.parameters");
  if (parameters !== undefined && draft.record.kind === "tool")
    draft.move("input", asContent(parameters), "tool.parameters");
}

function moveMessages(draft: RecordDraft, field: "input" | "output", prefix: string): void {
  const flat = unflatten(draft, prefix);
  const role = field === "input" ? "user" : "assistant";
  if (flat === undefined) return;
  const messages = readMessages(flat.items.map((item) => asApiMessage(item, role)));
  if (messages !== undefined) draft.move(field, asMessages(messages), ...flat.keys);
}

/** `{message: {contents: [{message_content}], tool_calls: [{tool_call}]}}` without the wrappers. */
function asApiMessage(item: JsonValue, role: string): JsonValue {
  if (!isObject(item) || !isObject(item.message)) return item;
  const { contents, content, tool_calls, ...rest } = item.message;
  const { message: _message, ...beside } = item;
  return {
    role,
    ...rest,
    ...beside,
    ...(contents === undefined
      ? content !== undefined && { content }
      : { content: joinContents(content, contents) }),
    ...(tool_calls !== undefined && {
      tool_calls: Array.isArray(tool_calls) ? tool_calls.map(asToolCall) : tool_calls,
    }),
  };
}

function joinContents(content: JsonValue | undefined, contents: JsonValue): JsonValue {
  const parts = (Array.isArray(contents) ? contents : [contents]).map((part) =>
    isObject(part) && isObject(part.message_content) && Object.keys(part).length === 1
      ? asPart(part.message_content)
      : part,
  );
  return content === undefined || content === "" ? parts : [content, ...parts];
}

/** `{type: "image", image: {image: {url}}}`, as attributes `message_content.image.image.url` give it. */
function asPart(part: JsonObject): JsonObject {
  const { type, image, ...rest } = part;
  const url = isObject(image) && isObject(image.image) ? image.image.url : undefined;
  return type === "image" && url !== undefined && Object.keys(rest).length === 0
    ? { type: "image_url", image_url: { url } }
    : part;
}

function asToolCall(item: JsonValue): JsonValue {
  if (!isObject(item) || !isObject(item.tool_call) || Object.keys(item).length > 1) return item;
  return { type: "function", ...item.tool_call };
}

function moveDocuments(draft: RecordDraft, field: "output", prefix: string): void {
  const flat = unflatten(draft, prefix);
  if (flat === undefined) return;
  const json = flat.items.map((item) =>
    isObject(item) && Object.keys(item).length === 1 ? (item.document ?? item) : item,
  );
  draft.move(field, { format: "json", state: "captured", json }, ...flat.keys);
}

/** The media type says whether the value is text, even where it looks like JSON. */
function moveValue(draft: RecordDraft, field: "input" | "output", key: string, typeKey: string): void {
  const value = draft.attribute(key);
  if (value === undefined || hasMessages(draft, field)) return;
  const type = draft.attribute(typeKey);
  const content = contentOf(value, type);
  const said = type === (content.format === "text" ? "text/plain" : "application/json");
  draft.move(field, content, ...(said ? [key, typeKey] : [key]));
}

function contentOf(value: AttributeValue, type: AttributeValue | undefined): Content {
  if (type === "text/plain" && typeof value === "string")
    return { format: "text", state: "captured", text: value };
  return asContent(value);
}
