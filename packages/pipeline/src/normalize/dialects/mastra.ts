import { GEN_AI, type JsonValue, type SpanKind } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { asContent, asMessages, isId } from "../fields.ts";
import { readInstructions, readMessages } from "../messages.ts";
import { deriveKindAfterOperation } from "../operations.ts";
import { isObject, readJson, readText, readTime } from "../values.ts";

const TYPE = "mastra.span.type";

/** `chat`, tools, agents, workflows and embeddings say their kind as `gen_ai.operation.name`. */
const KINDS: ReadonlyMap<string, SpanKind> = new Map([
  ["agent_run", "agent"],
  ["workflow_run", "workflow"],
  ["workflow_step", "node"],
  // The loop around the model calls, and one turn of it.
  ["model_generation", "agent"],
  ["model_step", "agent"],
  ["model_inference", "llm"],
  ["tool_call", "tool"],
  ["mcp_tool_call", "tool"],
  ["provider_tool_call", "tool"],
  ["rag_embedding", "embedding"],
]);

const COMPLETION_START = "mastra.completion_start_time";
const STEP_ID = "mastra.workflow_step.step_id";

/** What Mastra's OpenTelemetry exporter writes beside `gen_ai.*`. Source: `@mastra/otel-exporter`, `gen-ai-semantics.ts`. */
export const mastraDialect: Dialect = {
  name: "mastra",
  prefixes: ["mastra."],
  normalize: (draft) => {
    const type = readText(draft.attribute(TYPE));
    deriveKindAfterOperation(draft, KINDS.get(type ?? ""), TYPE);
    readProvider(draft);
    const step = draft.attribute(STEP_ID);
    if (isId(step)) draft.move("nodeId", step, STEP_ID);
    const start = readTime(draft.attribute(COMPLETION_START));
    if (start !== undefined) draft.move("firstTokenTime", start, COMPLETION_START);
    if (type === undefined) return;
    readInput(draft, `mastra.${type}.input`);
    const output = draft.attribute(`mastra.${type}.output`);
    if (output !== undefined) draft.move("output", asContent(output), `mastra.${type}.output`);
  },
};

/** The Vercel AI SDK's models call themselves `openai.responses`; the convention's own names with a dot are kept. */
function readProvider(draft: RecordDraft): void {
  const named = readText(draft.attribute(GEN_AI.providerName));
  if (named === undefined || !named.includes(".") || /^(aws|azure|gcp|ibm)\./.test(named)) return;
  draft.derive("provider", named.split(".", 1)[0] as string, GEN_AI.providerName);
}

/** An agent's instructions stand apart from what it was asked: together they are its messages. */
function readInput(draft: RecordDraft, key: string): void {
  const value = draft.attribute(key);
  if (value === undefined) return;
  const instructions = readInstructions(readJson(draft.attribute(GEN_AI.systemInstructions))) ?? [];
  const messages = readMessages(messagesIn(readJson(value)));
  if (messages === undefined && instructions.length === 0) draft.move("input", asContent(value), key);
  else if (messages !== undefined) {
    draft.move(
      "input",
      asMessages([...instructions, ...messages]),
      key,
      ...(instructions.length > 0 ? [GEN_AI.systemInstructions] : []),
    );
  } else if (typeof value === "string" && readJson(value) === value) {
    const asked = { role: "user", parts: [{ type: "text" as const, content: value }] };
    draft.move("input", asMessages([...instructions, asked]), key, GEN_AI.systemInstructions);
  }
}

function messagesIn(value: JsonValue | undefined): JsonValue | undefined {
  return isObject(value) && Object.keys(value).length === 1 ? (value.messages ?? value) : value;
}
