import type { SpanFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";

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

export function addLlmFacts(
  facts: SpanFacts,
  { model, provider }: LlmOptions,
  problems: ProblemReporter,
): void {
  if (typeof model !== "string" || model === "") {
    problems.report(
      "invalid_argument",
      "llm",
      "A model has no name, so its cost will be unknown. Give `model`.",
    );
    return;
  }
  facts.model = model;
  if (provider !== undefined) facts.provider = String(provider);
}
