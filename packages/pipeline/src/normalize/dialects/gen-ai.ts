import { GEN_AI } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import {
  asMessages,
  moveContent,
  moveCost,
  moveCounts,
  moveFirstTokenAfter,
  moveMessagesOrContent,
  moveText,
} from "../fields.ts";
import { readInstructions, readMessages } from "../messages.ts";
import { readOperation } from "../operations.ts";
import { readJson, readTexts } from "../values.ts";
import { moveEventMessages } from "./gen-ai-events.ts";
import { moveIndexedMessages } from "./gen-ai-indexed.ts";

/** Spellings of before and beside the convention. The convention's own are in {@link GEN_AI}. */
const OLD = {
  cacheReadTokens: "gen_ai.usage.cache_read_input_tokens",
  cacheCreationTokens: "gen_ai.usage.cache_creation_input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning_tokens",
  timeToFirstChunk: "gen_ai.client.operation.time_to_first_chunk",
  prompt: "gen_ai.prompt",
  completion: "gen_ai.completion",
} as const;

const MORE = {
  workflowName: "gen_ai.workflow.name",
  retrievalQuery: "gen_ai.retrieval.query.text",
  retrievalDocuments: "gen_ai.retrieval.documents",
} as const;

const COUNTS = {
  input: [GEN_AI.inputTokens, GEN_AI.promptTokens],
  output: [GEN_AI.outputTokens, GEN_AI.completionTokens],
  cachedInput: [GEN_AI.cacheReadTokens, OLD.cacheReadTokens],
  cacheWrite: [GEN_AI.cacheWriteTokens, GEN_AI.cacheCreationTokens, OLD.cacheCreationTokens],
  reasoning: [GEN_AI.reasoningTokens, OLD.reasoningTokens],
  total: [GEN_AI.totalTokens],
} as const;

/** OpenTelemetry's GenAI conventions, present and past spellings. Source: open-telemetry/semantic-conventions, docs/gen-ai. */
export const genAiDialect: Dialect = {
  name: "gen_ai",
  prefixes: ["gen_ai."],
  normalize: (draft) => {
    readKindAndUsage(draft);
    // What answered is what is billed. The requested name stays as an attribute where it is another one.
    moveText(draft, "model", GEN_AI.responseModel, GEN_AI.requestModel);
    moveText(draft, "provider", GEN_AI.providerName, GEN_AI.system);
    moveText(draft, "agent", GEN_AI.agentName);
    moveText(draft, "threadId", GEN_AI.conversationId);
    moveText(draft, "workflowName", MORE.workflowName);
    moveCost(draft, GEN_AI.cost);
    moveFirstTokenAfter(draft, 1, GEN_AI.timeToFirstChunk, OLD.timeToFirstChunk);
    readInput(draft);
    readOutput(draft);
  },
};

function readKindAndUsage(draft: RecordDraft): void {
  const operation = readOperation(draft);
  const before = draft.record.usage;
  moveCounts(draft, COUNTS);
  if (operation?.sums && draft.record.usage !== before) {
    draft.deriveUsage({ subtotal: true }, GEN_AI.operationName);
  }
  if (operation === undefined) {
    const unnamed = draft.attribute(GEN_AI.operationName) === undefined;
    if (unnamed && draft.attribute(GEN_AI.toolName) !== undefined)
      draft.derive("kind", "tool", GEN_AI.toolName);
  } else if (operation.whole) draft.move("kind", operation.kind, GEN_AI.operationName);
  else draft.derive("kind", operation.kind, GEN_AI.operationName);
}

function readInput(draft: RecordDraft): void {
  const instructions = readInstructions(readJson(draft.attribute(GEN_AI.systemInstructions)));
  const messages = readMessages(readJson(draft.attribute(GEN_AI.inputMessages)));
  if (instructions !== undefined || messages !== undefined) {
    const keys = [
      ...(messages === undefined ? [] : [GEN_AI.inputMessages]),
      ...(instructions === undefined ? [] : [GEN_AI.systemInstructions]),
    ];
    draft.move("input", asMessages([...(instructions ?? []), ...(messages ?? [])]), ...keys);
    return;
  }
  moveContent(draft, "input", GEN_AI.toolArguments);
  moveContent(draft, "input", MORE.retrievalQuery);
  moveMessagesOrContent(draft, "input", OLD.prompt);
  moveIndexedMessages(draft, "input");
  moveEventMessages(draft, "input");
}

function readOutput(draft: RecordDraft): void {
  const reasons = readTexts(draft.attribute(GEN_AI.finishReasons));
  if (reasons !== undefined) draft.move("finishReasons", reasons, GEN_AI.finishReasons);
  const messages = readMessages(readJson(draft.attribute(GEN_AI.outputMessages)));
  if (messages !== undefined) {
    if (draft.move("output", asMessages(messages), GEN_AI.outputMessages)) deriveFinishReasons(draft);
    return;
  }
  moveContent(draft, "output", GEN_AI.toolResult);
  moveContent(draft, "output", MORE.retrievalDocuments);
  moveMessagesOrContent(draft, "output", OLD.completion);
  if (moveIndexedMessages(draft, "output")) deriveFinishReasons(draft);
  if (moveEventMessages(draft, "output")) deriveFinishReasons(draft);
}

/** Why the model stopped, as its messages say. */
function deriveFinishReasons(draft: RecordDraft): void {
  const { output, provenance } = draft.record;
  if (output?.format !== "messages") return;
  const given = output.messages?.flatMap(({ finishReason }) =>
    finishReason === undefined ? [] : [finishReason],
  );
  if (given !== undefined && given.length > 0) {
    draft.derive("finishReasons", given, provenance?.output?.key ?? GEN_AI.outputMessages);
  }
}
