import type { Attributes as OtelAttributes } from "@opentelemetry/api";
import { GEN_AI, SPANLOOM } from "@spanloom/model";
import type { SpanFacts } from "../facts.ts";

const OPERATIONS: Partial<Record<SpanFacts["kind"], string>> = {
  llm: "chat",
  tool: "execute_tool",
  agent: "invoke_agent",
  retriever: "retrieval",
  embedding: "embeddings",
  workflow: "invoke_workflow",
};

/**
 * Ids, kind and model figures as OpenTelemetry attributes, for processors of the host. Content is never among them.
 * Source: OpenTelemetry semantic conventions for generative AI.
 */
export function mirrorAttributes(facts: SpanFacts): OtelAttributes {
  const { execution, node, kind, name, usage, model, provider } = facts;
  const attributes: OtelAttributes = {
    [SPANLOOM.kind]: kind,
    [SPANLOOM.executionId]: execution.executionId,
    [SPANLOOM.workflowId]: execution.workflowId,
    [SPANLOOM.workflowName]: execution.workflowName,
    [SPANLOOM.threadId]: execution.threadId,
    [GEN_AI.conversationId]: execution.threadId,
    [SPANLOOM.executionStatus]: facts.status,
    [SPANLOOM.nodeId]: node?.nodeId,
    [SPANLOOM.nodeType]: node?.nodeType,
    [SPANLOOM.attempt]: node?.attempt,
    [GEN_AI.operationName]: OPERATIONS[kind],
    [GEN_AI.agentName]: facts.agent,
    [GEN_AI.requestModel]: model,
    [GEN_AI.providerName]: provider,
    [GEN_AI.toolName]: kind === "tool" ? name : undefined,
    [GEN_AI.inputTokens]: usage?.input,
    [GEN_AI.outputTokens]: usage?.output,
    [GEN_AI.cacheReadTokens]: usage?.cachedInput,
    [GEN_AI.cacheWriteTokens]: usage?.cacheWrite,
    [GEN_AI.reasoningTokens]: usage?.reasoning,
    [GEN_AI.finishReasons]: facts.finishReasons,
  };
  for (const key in attributes) if (attributes[key] === undefined) delete attributes[key];
  return attributes;
}
