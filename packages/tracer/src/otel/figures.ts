/**
 * Attributes of AI instrumentations that hold ids, names, figures and errors, never what was said. A list of what is known to be
 * harmless: one of what is content would miss the next release's.
 */
const FIGURES: RegExp[] = [
  /^spanloom\./,
  /^gen_ai\.(operation\.name|provider\.name|system|output\.type|conversation\.id)$/,
  /^gen_ai\.request\.(model|max_tokens|temperature|top_k|top_p|frequency_penalty|presence_penalty|seed|choice\.count)$/,
  /^gen_ai\.response\.(id|model|finish_reasons|time_to_first_chunk)$/,
  /^gen_ai\.(usage|client|execute_tool|embeddings)\.[\w.]+$/,
  /^gen_ai\.agent\.(id|name)$/,
  /^gen_ai\.tool\.(name|type|call\.id)$/,
  /^ai\.(operationId|telemetry\.functionId|toolCall\.name|toolCall\.id)$/,
  /^ai\.(model|usage)\.[\w.]+$/,
  /^ai\.response\.(id|model|timestamp|finishReason|ms\w+|avg\w+)$/,
  /^ai\.stream\.ms\w+$/,
  /^ai\.settings\.(maxOutputTokens|maxRetries|maxTokens|temperature|topK|topP|frequencyPenalty|presencePenalty|seed)$/,
  /^exception\.(type|message|stacktrace)$/,
  /^(operation\.name|resource\.name|error\.type|http\.response\.status_code|server\.address|server\.port)$/,
];

export function isFigure(key: string): boolean {
  return FIGURES.some((pattern) => pattern.test(key));
}
