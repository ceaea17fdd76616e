/**
 * OpenTelemetry GenAI attribute keys, kept here because the conventions are in development and the published constants
 * lack most of them. Source: open-telemetry/semantic-conventions, docs/gen-ai.
 */
export const GEN_AI = {
  operationName: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  /** Before `gen_ai.provider.name`. */
  system: "gen_ai.system",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  /** Before `input_tokens` and `output_tokens`. */
  promptTokens: "gen_ai.usage.prompt_tokens",
  completionTokens: "gen_ai.usage.completion_tokens",
  totalTokens: "gen_ai.usage.total_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_write.input_tokens",
  /** Before `cache_write`. */
  cacheCreationTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  cost: "gen_ai.usage.cost",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  systemInstructions: "gen_ai.system_instructions",
  toolName: "gen_ai.tool.name",
  toolCallId: "gen_ai.tool.call.id",
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
  agentName: "gen_ai.agent.name",
  conversationId: "gen_ai.conversation.id",
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  finishReasons: "gen_ai.response.finish_reasons",
} as const;

/** Resource attributes that the panels show. Source: OpenTelemetry resource conventions. */
export const RESOURCE = {
  serviceName: "service.name",
  serviceVersion: "service.version",
  environment: "deployment.environment.name",
  /** Before `deployment.environment.name`. */
  environmentOld: "deployment.environment",
} as const;

/** Our own keys, on spans that our tracer starts and on what we export. Reserved: nobody else's attributes begin so. */
export const SPANLOOM = {
  prefix: "spanloom.",
  executionId: "spanloom.execution.id",
  executionStatus: "spanloom.execution.status",
  workflowId: "spanloom.workflow.id",
  workflowName: "spanloom.workflow.name",
  threadId: "spanloom.thread.id",
  kind: "spanloom.span.kind",
  nodeId: "spanloom.node.id",
  nodeType: "spanloom.node.type",
  attempt: "spanloom.node.attempt",

  // Only on what we export: what OpenTelemetry has no place for. See otlp/own-fields.ts.
  /** Marks a span whose other `spanloom.*` attributes are read back as fields of the record. */
  schemaVersion: "spanloom.schema_version",
  /** The `gen_ai.*` keys that only repeat fields, for other tools. */
  mirrored: "spanloom.mirrored",
  /** Stands before a key of the span itself that begins with `spanloom.`. */
  escape: "spanloom.attribute.",
  revision: "spanloom.revision",
  syntheticEnd: "spanloom.synthetic_end",
  firstTokenTime: "spanloom.first_token_time",
  agent: "spanloom.agent",
  model: "spanloom.model",
  provider: "spanloom.provider",
  finishReasons: "spanloom.finish_reasons",
  usage: "spanloom.usage",
  costNanoUsd: "spanloom.cost.nano_usd",
  costSource: "spanloom.cost.source",
  costPriceVersion: "spanloom.cost.price_version",
  costParts: "spanloom.cost.parts",
  artifacts: "spanloom.artifacts",
  cache: "spanloom.cache",
  input: "spanloom.input",
  output: "spanloom.output",
  stateBefore: "spanloom.state_before",
  stateAfter: "spanloom.state_after",
  redactions: "spanloom.redactions",
  provenance: "spanloom.provenance",
} as const;
