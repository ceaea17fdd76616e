import type { AttributeValue, Content, SpanRecord } from "@spanloom/model";

type Fields<T, Value> = { [Key in keyof T]-?: NonNullable<T[Key]> extends Value ? Key : never }[keyof T];
export type ContentField = Fields<SpanRecord, Content>;

/** Every field that holds content. The type makes it complete: a new one does not compile until it is here. */
export const CONTENT_FIELDS: readonly ContentField[] = Object.keys({
  input: true,
  output: true,
  stateBefore: true,
  stateAfter: true,
} satisfies Record<ContentField, true>) as ContentField[];

/** Stands where an attribute held content. */
export const NOT_PERMITTED = "[not permitted]";

/**
 * The span for callers who may not see content. Each content field says that it is withheld, and no more: a hash or a
 * length would let them compare and guess. Attributes that other instrumentations fill with prompts, responses and
 * arguments are withheld, too. Names, status messages, exception events, figures and ids stay.
 */
export function withoutContent(span: SpanRecord): SpanRecord {
  const shown: SpanRecord = {
    ...span,
    attributes: withoutContentAttributes(span.attributes),
    events: span.events.map((event) => ({
      ...event,
      attributes: withoutContentAttributes(event.attributes),
    })),
    links: span.links.map((link) => ({ ...link, attributes: withoutContentAttributes(link.attributes) })),
  };
  for (const field of CONTENT_FIELDS) {
    const content = span[field];
    if (content !== undefined) shown[field] = { format: content.format, state: "not_permitted" };
  }
  return shown;
}

/** The words of all dialects for what goes into a model or a tool and comes out of it, anywhere in a key. */
const CONTENT_KEY =
  /(?:^|_)(?:prompts?|completions?|inputs?|outputs?|messages?|contents?|arguments|args|params|parameters|results?|responses?|questions?|answers?|instructions|documents?|text|object|body|payload|value|query|statement|reasoning|transcript|toolcalls|tool_calls)(?:_|$)/;

/** Figures and settings are no content even under such a key, e.g. `gen_ai.usage.input_tokens`. */
function isContent(key: string, value: AttributeValue): boolean {
  const holdsText = typeof value === "string" || (typeof value === "object" && value !== null);
  return holdsText && !PLAIN_KEY.test(key) && CONTENT_KEY.test(words(key));
}

const PLAIN_KEY =
  /^(?:exception|error)\.|(?:^|[._])(?:id|model|name|type|finish_reasons?|mime_type|role|status_code)$/i;

/** `ai.toolCall-args` as `ai_tool_call_args`: whoever named the attribute had a style of their own. */
function words(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^a-zA-Z0-9]+/g, "_")
    .toLowerCase();
}

/** The same object where nothing in it is content. */
function withoutContentAttributes<T extends { [key: string]: AttributeValue }>(attributes: T): T {
  let shown: [string, AttributeValue][] | undefined;
  const entries = Object.entries(attributes);
  for (const [index, [key, value]] of entries.entries()) {
    const visible = visibleValue(key, value);
    if (visible === value) continue;
    shown ??= [...entries];
    shown[index] = [key, visible];
  }
  return shown === undefined ? attributes : (Object.fromEntries(shown) as T);
}

/** Content may also stand deeper: as a member, in a list, or in JSON that was written out as text. */
function visibleValue(key: string, value: AttributeValue): AttributeValue {
  if (isContent(key, value)) return NOT_PERMITTED;
  if (typeof value === "string") return isJsonText(value) ? NOT_PERMITTED : value;
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value)) return withoutContentAttributes(value);
  const visible = value.map((item) =>
    key === "$map" && Array.isArray(item) && typeof item[0] === "string"
      ? [item[0], visibleValue(item[0], item[1] ?? null)]
      : visibleValue("", item),
  );
  return visible.some((item, index) => item !== value[index]) ? visible : value;
}

function isJsonText(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
