import { GEN_AI, type SpanKind } from "@spanloom/model";
import type { RecordDraft } from "./dialect.ts";
import { readText } from "./values.ts";

/** Operations that a kind stands for wholly: their key is consumed. */
const WHOLE: ReadonlyMap<string, SpanKind> = new Map([
  ["chat", "llm"],
  ["embeddings", "embedding"],
  ["retrieval", "retriever"],
  ["invoke_agent", "agent"],
  ["execute_tool", "tool"],
  ["invoke_workflow", "workflow"],
]);

/** Operations that say more than their kind: their key stays. `agent_step` and `rerank` are of the Vercel AI SDK and Mastra. */
const FINER: ReadonlyMap<string, SpanKind> = new Map([
  ["generate_content", "llm"],
  ["text_completion", "llm"],
  ["create_agent", "agent"],
  ["plan", "agent"],
  ["agent_step", "agent"],
  ["search_memory", "retriever"],
  ["rerank", "retriever"],
]);

/** Operations whose usage repeats that of the calls below. */
const SUMS: ReadonlySet<string> = new Set(["invoke_agent", "invoke_workflow", "create_agent", "agent_step"]);

export interface Operation {
  kind: SpanKind;
  /** The kind says all that the operation says. */
  whole: boolean;
  /** Its usage is that of the calls below it. */
  sums: boolean;
}

/** What `gen_ai.operation.name` says, where it is an operation that we know. */
export function readOperation(draft: RecordDraft): Operation | undefined {
  const name = readText(draft.attribute(GEN_AI.operationName));
  if (name === undefined) return undefined;
  const whole = WHOLE.get(name);
  const kind = whole ?? FINER.get(name);
  return kind && { kind, whole: whole !== undefined, sums: SUMS.has(name) };
}

/** Sets the kind, unless `gen_ai.operation.name` is there to say it. The key stays: it says more than the kind. */
export function deriveKindAfterOperation(draft: RecordDraft, kind: SpanKind | undefined, key: string): void {
  if (kind !== undefined && readOperation(draft) === undefined) draft.derive("kind", kind, key);
}
