import type { SpanKind } from "@spanloom/model";
import { SpanFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";
import { safeName } from "./safe.ts";

export interface LlmOptions {
  /** As the provider spells it, such as `gpt-4.1-mini`. */
  model: string;
  /** Such as `openai`, `anthropic`, `aws.bedrock`: OpenTelemetry's `gen_ai.provider.name`. */
  provider?: string;
  /** What the span is called; the model's name where absent. */
  name?: string;
  /** The prompt: text, chat messages (`role` and `content`), or any JSON. */
  input?: unknown;
  attributes?: Record<string, unknown>;
}

export interface EmbeddingOptions extends LlmOptions {
  /** The text or texts that are embedded. */
  input?: unknown;
}

export interface AgentOptions {
  /** What the agent is called. */
  name: string;
  /** The model that the agent works with, where it is known beforehand. */
  model?: string;
  provider?: string;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

export interface RetrieverOptions {
  /** What is searched, such as the index's name. */
  name: string;
  /** The query. */
  input?: unknown;
  attributes?: Record<string, unknown>;
}

export function modelFacts(
  { execution, node }: SpanFacts,
  { model, provider, name }: LlmOptions,
  problems: ProblemReporter,
  kind: SpanKind,
): SpanFacts {
  const known = typeof model === "string" && model !== "";
  const facts = new SpanFacts(execution, kind, node, safeName(name, known ? model : kind));
  if (known) setModel(facts, model, provider);
  else
    problems.report(
      "invalid_argument",
      kind,
      "A model has no name, so its cost will be unknown. Give `model`.",
    );
  return facts;
}

export function agentFacts(
  { execution, node }: SpanFacts,
  { model, provider, name }: AgentOptions,
): SpanFacts {
  const facts = new SpanFacts(execution, "agent", node, safeName(name, "agent"));
  if (model !== undefined) setModel(facts, model, provider);
  return facts;
}

export function setModel(facts: SpanFacts, model: string, provider: string | undefined): void {
  facts.model = String(model);
  if (provider !== undefined) facts.provider = String(provider);
}
