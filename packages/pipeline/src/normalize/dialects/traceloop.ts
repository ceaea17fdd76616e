import { GEN_AI, type SpanKind } from "@spanloom/model";
import type { Dialect, RecordDraft } from "../dialect.ts";
import { isId, moveCounts, moveJsonText, moveText } from "../fields.ts";
import { deriveKindAfterOperation, readOperation } from "../operations.ts";
import { readCount, readText } from "../values.ts";

const KIND = "traceloop.span.kind";
const ENTITY = "traceloop.entity.name";
const PATH = "traceloop.entity.path";

const KINDS: ReadonlyMap<string, SpanKind> = new Map([
  ["workflow", "workflow"],
  ["task", "node"],
  ["agent", "agent"],
  ["tool", "tool"],
]);

const REQUEST_TYPE = "llm.request.type";
const REQUEST_KINDS: ReadonlyMap<string, SpanKind> = new Map([
  ["chat", "llm"],
  ["completion", "llm"],
  ["embedding", "embedding"],
  ["rerank", "retriever"],
]);

/** What hosts call the conversation among `withAssociationProperties`. */
const THREAD_KEYS: readonly string[] = [
  "thread_id",
  "conversation_id",
  "chat_id",
  "session_id",
  "threadId",
  "conversationId",
  "chatId",
  "sessionId",
].map((name) => `traceloop.association.properties.${name}`);

/**
 * It passes on what Anthropic's API says: cached tokens beside the input, not in it, and a total without them.
 * Source: `@traceloop/instrumentation-anthropic` 0.27.0, `_endSpan`.
 */
const COUNTS_BESIDE_CACHE = "@traceloop/instrumentation-anthropic";

/** OpenLLMetry of Traceloop. Source: `@traceloop/ai-semantic-conventions`, `@traceloop/node-server-sdk`. */
export const traceloopDialect: Dialect = {
  name: "traceloop",
  prefixes: ["traceloop.", "llm.request.type", "llm.usage."],
  detect: (record) => record.instrumentation.name === COUNTS_BESIDE_CACHE,
  normalize: (draft) => {
    const kind = KINDS.get(readText(draft.attribute(KIND)) ?? "");
    readKind(draft, kind);
    readNode(draft, kind);
    readProvider(draft);
    // Inside an agent the workflow's name is the agent's: only the workflow itself says it for sure.
    if (kind === "workflow") moveText(draft, "workflowName", "traceloop.workflow.name", ENTITY);
    if (kind === "agent") moveText(draft, "agent", ENTITY, GEN_AI.agentName);
    moveText(draft, "threadId", ...THREAD_KEYS);
    if (draft.record.instrumentation.name === COUNTS_BESIDE_CACHE) addCacheToInput(draft);
    moveCounts(draft, { total: ["llm.usage.total_tokens"] });
    moveJsonText(draft, "input", "traceloop.entity.input");
    moveJsonText(draft, "output", "traceloop.entity.output");
  },
};

function readKind(draft: RecordDraft, kind: SpanKind | undefined): void {
  if (kind !== undefined && readOperation(draft) === undefined) draft.move("kind", kind, KIND);
  deriveKindAfterOperation(
    draft,
    REQUEST_KINDS.get(readText(draft.attribute(REQUEST_TYPE)) ?? ""),
    REQUEST_TYPE,
  );
}

/**
 * Versions before the convention named providers as they write themselves: `OpenAI`. Only a plain word is a name:
 * anything else stays as it came, since redaction reads capitals too.
 */
function readProvider(draft: RecordDraft): void {
  const system = readText(draft.attribute(GEN_AI.system));
  if (system === undefined || !/^[A-Za-z][A-Za-z0-9]{0,31}$/.test(system)) return;
  const provider = system.toLowerCase();
  if (provider !== system) draft.derive("provider", provider, GEN_AI.system);
}

/** A task is a node, named by its path; the spans below it carry that path. */
function readNode(draft: RecordDraft, kind: SpanKind | undefined): void {
  const path = readText(draft.attribute(PATH)) ?? "";
  const name = readText(draft.attribute(ENTITY)) ?? "";
  const nodeId = kind === "node" ? (path === "" ? name : `${path}.${name}`) : path;
  if (isId(nodeId)) draft.derive("nodeId", nodeId, path === "" ? ENTITY : PATH);
}

function addCacheToInput(draft: RecordDraft): void {
  const input = readCount(draft.attribute(GEN_AI.inputTokens));
  const output = readCount(draft.attribute(GEN_AI.outputTokens));
  const total = readCount(draft.attribute(GEN_AI.totalTokens));
  const cachedInput = readCount(draft.attribute(GEN_AI.cacheReadTokens));
  const cacheWrite = readCount(draft.attribute(GEN_AI.cacheCreationTokens));
  const beside = (cachedInput ?? 0) + (cacheWrite ?? 0);
  if (input === undefined || beside === 0) return;
  draft.moveUsage(
    {
      input: input + beside,
      ...(cachedInput !== undefined && { cachedInput }),
      ...(cacheWrite !== undefined && { cacheWrite }),
    },
    GEN_AI.inputTokens,
    GEN_AI.cacheReadTokens,
    GEN_AI.cacheCreationTokens,
  );
  if (total !== undefined && output !== undefined && total === input + output) {
    draft.moveUsage({ total: total + beside }, GEN_AI.totalTokens);
  }
}
