/**
 * Attribute keys under which instrumentations write prompts, answers, arguments, results and documents. Sources:
 * OpenTelemetry's GenAI conventions and their older forms, Vercel AI SDK, OpenInference, Traceloop, Langfuse, Mastra,
 * LangSmith, Laminar and Pydantic.
 */
const CONTENT_KEYS: readonly RegExp[] = [
  /^gen_ai\.(input|output)\.messages/,
  /^gen_ai\.(prompt|completion)($|\.(?!tokens))/,
  /^gen_ai\.(system_instructions|tool\.definitions|tool\.call\.(arguments|result)|event\.content)/,
  /^gen_ai\.(request|response|retrieval)\.(messages|content|text|body|documents|query\.text)/,
  /^ai\.(prompt|toolCall\.(args|result|input|output)|response\.(text|object|toolCalls|reasoning|files))/,
  /^ai\.(result|values?|embeddings?|request\.body|response\.body|schema)($|\.)/,
  /^ai\.telemetry\.metadata\./,
  /^(input|output)\.value$/,
  /^llm\.(input_messages|output_messages|prompts?|completions|prompt_template|function_call|tools)($|\.)/,
  /^llm\.(request|response)\.(content|body|messages)/,
  /^tool\.(parameters|json_schema)$/,
  /^(retrieval\.documents|reranker\.(input|output)_documents|reranker\.query|embedding\.embeddings|message\.)/,
  /^traceloop\.entity\.(input|output)/,
  /^traceloop\.prompt\./,
  /^langfuse\.(observation|trace)\.(input|output|metadata)/,
  /^mastra\..*\.?(input|output|instructions)$/,
  /^lmnr\.span\.(input|output)/,
  /^langsmith\.(span\.)?(inputs|outputs)/,
  /^(all_messages_events|pydantic_ai\.all_messages|tool_arguments|tool_response|final_result|events)$/,
  /^mcp\.(request\.argument|tool\.(arguments|result)|resource\.content)/,
  /^spanloom\.(input|output|state_before|state_after)$/,
];

export function isContentKey(key: string): boolean {
  return CONTENT_KEYS.some((pattern) => pattern.test(key));
}

/** Events that carry one message each. Source: OpenTelemetry's GenAI events. */
const CONTENT_EVENT = /^gen_ai\.(.+\.message|choice|content\.(prompt|completion)|client\.inference\.)/;

export function isContentEvent(name: string): boolean {
  return CONTENT_EVENT.test(name);
}
