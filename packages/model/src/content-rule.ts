import type { Attributes, AttributeValue } from "./attributes.ts";
import type { Content } from "./content.ts";
import type { SpanRecord, SpanSkeleton, SpanStatus } from "./span.ts";

/**
 * What of a span is content: the fields that hold it, attributes that other instrumentations fill with prompts,
 * responses, arguments and results, and what errors say, since messages and stack traces quote what the code worked on.
 * Names, types of errors, figures and ids are none. Everybody who leaves content out goes by this.
 */

type Fields<T, Value> = { [Key in keyof T]-?: NonNullable<T[Key]> extends Value ? Key : never }[keyof T];
/** The contents of a span. Of a tool, `input` holds its arguments and `output` its result. */
export type ContentField = Fields<SpanRecord, Content>;

/** Every field that holds content. The type makes it complete: a new one does not compile until it is here. */
export const CONTENT_FIELDS: readonly ContentField[] = Object.keys({
  input: true,
  output: true,
  stateBefore: true,
  stateAfter: true,
} satisfies Record<ContentField, true>) as ContentField[];

/** Stands where a text or an attribute was content that the caller may not see. */
export const NOT_PERMITTED = "[not permitted]";

/**
 * The span for callers who may not see content. Each content field says that it is withheld, and no more: a hash or a
 * length would let them compare and guess. Texts and attributes that are content say `NOT_PERMITTED`.
 */
export function withoutContent(span: SpanRecord): SpanRecord {
  const shown: SpanRecord = {
    ...skeletonWithoutContent(span),
    attributes: attributesWithoutContent(span.attributes),
    events: span.events.map(visible),
    links: span.links.map(visible),
  };
  for (const field of CONTENT_FIELDS) {
    const content = span[field];
    if (content !== undefined) shown[field] = { format: content.format, state: "not_permitted" };
  }
  return shown;
}

/** A skeleton holds one text that is content: what the error said. */
export function skeletonWithoutContent<S extends SpanSkeleton>(span: S): S {
  return span.status.message === undefined ? span : { ...span, status: withoutMessage(span.status) };
}

function withoutMessage(status: SpanStatus): SpanStatus {
  return { ...status, message: NOT_PERMITTED };
}

function visible<T extends { attributes: Attributes }>(part: T): T {
  return { ...part, attributes: attributesWithoutContent(part.attributes) };
}

/** The same object where nothing in it is content. */
export function attributesWithoutContent<T extends { [key: string]: AttributeValue }>(
  attributes: T,
  depth = 0,
): T {
  let shown: [string, AttributeValue][] | undefined;
  const keys = Object.keys(attributes);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const value = attributes[key] as AttributeValue;
    const seen = visibleValue(key, value, depth);
    if (seen === value) continue;
    shown ??= Object.entries(attributes);
    shown[index] = [key, seen];
  }
  return shown === undefined ? attributes : (Object.fromEntries(shown) as T);
}

/**
 * An attribute's value for callers who may not see content: the same where nothing in it is content, `NOT_PERMITTED` where
 * all of it is. Content may also stand deeper: as a member, in a list, or in JSON that was written out as text.
 */
export function visibleValue(key: string, value: AttributeValue, depth = 0): AttributeValue {
  if (depth > DEEPEST || isContent(key, value)) return NOT_PERMITTED;
  if (typeof value === "string") return isJsonText(value) ? NOT_PERMITTED : value;
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value)) return attributesWithoutContent(value, depth + 1);
  const seen = value.map((item) =>
    key === "$map" && Array.isArray(item) && typeof item[0] === "string"
      ? [item[0], visibleValue(item[0], item[1] ?? null, depth + 1)]
      : visibleValue("", item, depth + 1),
  );
  return seen.some((item, index) => item !== value[index]) ? seen : value;
}

/** No record nests deeper; what does is withheld unread. */
const DEEPEST = 100;

/** Figures and settings are no content even under such a key, e.g. `gen_ai.usage.input_tokens`. */
function isContent(key: string, value: AttributeValue): boolean {
  const holdsText = typeof value === "string" || (typeof value === "object" && value !== null);
  return holdsText && isContentKey(key);
}

/** Keys come again and again. */
const decided = new Map<string, boolean>();
const MAX_DECIDED = 2_000;
const MAX_DECIDED_KEY = 200;

function isContentKey(key: string): boolean {
  const known = decided.get(key);
  if (known !== undefined) return known;
  const is = isModelContentKey(key) || (!PLAIN_KEY.test(key) && CONTENT_KEY.test(words(key)));
  if (decided.size >= MAX_DECIDED) decided.clear();
  if (key.length <= MAX_DECIDED_KEY) decided.set(key, is);
  return is;
}

/** The words for what goes into a step and comes out of it, and for what errors say, anywhere in a key. */
const CONTENT_KEY =
  /(?:^|_)(?:prompts?|completions?|inputs?|outputs?|messages?|contents?|arguments|args|params|parameters|results?|responses?|questions?|answers?|instructions|documents?|text|object|body|payload|value|query|statement|reasoning|transcript|toolcalls|tool_calls|stack|stacktrace|status_description)(?:_|$)/;

const PLAIN_KEY = /(?:^|[._])(?:id|model|name|type|finish_reasons?|mime_type|role|status_code)$/i;

/** `ai.toolCall-args` as `ai_tool_call_args`: whoever named the attribute had a style of their own. */
function words(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^a-zA-Z0-9]+/g, "_")
    .toLowerCase();
}

/**
 * Keys under which instrumentations of models and agents write prompts, answers, arguments, results and documents. A
 * part of the rule for itself, for exporters of a host's own: these send what a host's other libraries say, as ever.
 * Sources: OpenTelemetry's GenAI conventions and their older forms, Vercel AI SDK, OpenInference, Traceloop, Langfuse,
 * Mastra, LangSmith, Laminar and Pydantic.
 */
export function isModelContentKey(key: string): boolean {
  return MODEL_CONTENT_KEYS.some((pattern) => pattern.test(key));
}

const MODEL_CONTENT_KEYS: readonly RegExp[] = [
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

/** Events that carry one message each. Source: OpenTelemetry's GenAI events. */
export function isModelContentEvent(name: string): boolean {
  return MODEL_CONTENT_EVENT.test(name);
}

const MODEL_CONTENT_EVENT = /^gen_ai\.(.+\.message|choice|content\.(prompt|completion)|client\.inference\.)/;

function isJsonText(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
