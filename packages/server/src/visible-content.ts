import type { Attributes, AttributeValue, Content, SpanRecord } from "@spanloom/model";

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

/** The words of all dialects for what goes into a model or a tool and comes out of it, anywhere in a dotted key. */
const CONTENT_KEY =
  /(?:^|[._])(?:prompts?|completions?|inputs?|outputs?|messages?|contents?|arguments|args|params|parameters|results?|responses?|instructions|documents?|text|object|body|value|query|statement|reasoning|toolcalls)(?:[._]|$)/i;

/** Figures and settings are no content even under such a key, e.g. `gen_ai.usage.input_tokens`. */
function isContent(key: string, value: AttributeValue): boolean {
  const holdsText = typeof value === "string" || (typeof value === "object" && value !== null);
  return holdsText && CONTENT_KEY.test(key) && !PLAIN_KEY.test(key);
}

const PLAIN_KEY =
  /^(?:exception|error)\.|(?:^|[._])(?:id|model|name|type|finish_reasons?|mime_type|role|status_code)$/i;

function withoutContentAttributes(attributes: Attributes): Attributes {
  const keys = Object.keys(attributes);
  if (!keys.some((key) => isContent(key, attributes[key] ?? null))) return attributes;
  return Object.fromEntries(
    keys.map((key) => [
      key,
      isContent(key, attributes[key] ?? null) ? NOT_PERMITTED : (attributes[key] ?? null),
    ]),
  );
}
