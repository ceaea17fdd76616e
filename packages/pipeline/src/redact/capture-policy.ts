import {
  CONTENT_FIELDS,
  type Content,
  type ContentField,
  type JsonValue,
  type MessagePart,
  SPAN_KINDS,
  type SpanKind,
  SpanloomError,
} from "@spanloom/model";

/**
 * How much of a content is kept, after secrets were taken out:
 * - `full`: all of it
 * - `preview`: its beginning, with the hash and length of the whole (state `truncated`)
 * - `hash`: only hash and length, so that equal contents can be told (state `not_captured`)
 * - `none`: nothing (state `not_captured`)
 */
export type CaptureLevel = "full" | "preview" | "hash" | "none";

/** A level for each field; those that are not named follow the policy around. */
export type FieldCapture = Readonly<Partial<Record<ContentField, CaptureLevel>>>;

export interface CapturePolicy extends FieldCapture {
  /** For spans of a kind; one level stands for all four fields. Wins over the fields outside. */
  kinds?: Readonly<Partial<Record<SpanKind, CaptureLevel | FieldCapture>>>;
  /** How much a preview holds, in UTF-16 code units. Default 1,000. */
  previewCharacters?: number;
}

export interface Capture {
  readonly previewCharacters: number;
  level(field: ContentField, kind: SpanKind): CaptureLevel;
}

const LEVELS: readonly unknown[] = ["full", "preview", "hash", "none"];
const PREVIEW = 1_000;

/** `undefined` where everything is kept. Throws `invalid_argument` for what cannot be understood: it would keep too much. */
export function readCapture(policy: CapturePolicy | undefined): Capture | undefined {
  if (policy === undefined) return undefined;
  const { kinds = {}, previewCharacters = PREVIEW, ...fields } = policy;
  checkFields("capture", fields);
  for (const [kind, levels] of Object.entries(kinds)) {
    if (!(SPAN_KINDS as readonly string[]).includes(kind))
      throw unusable(`capture.kinds.${kind}`, "no span has that kind");
    checkFields(`capture.kinds.${kind}`, typeof levels === "string" ? { input: levels } : levels);
  }
  if (!(previewCharacters > 0))
    throw unusable("capture.previewCharacters", "a preview holds at least one character");
  return {
    previewCharacters,
    level: (field, kind) => {
      const own = kinds[kind];
      return (typeof own === "string" ? own : own?.[field]) ?? fields[field] ?? "full";
    },
  };
}

/** The cleaned content as the policy keeps it. Its hash and length, where it has them, are already those of the whole. */
export function limitContent(content: Content, level: CaptureLevel, previewCharacters: number): Content {
  if (level === "full" || content.state === "not_permitted") return content;
  if (level === "preview") return previewContent(content, previewCharacters);
  const { format, hash, length, redactions, state, reason } = content;
  const before = state === "not_captured" ? reason : undefined;
  return {
    format,
    state: "not_captured",
    reason: before ?? `capture policy: ${level}`,
    ...(level === "hash" && hash !== undefined && { hash }),
    ...(level === "hash" && length !== undefined && { length }),
    ...(level === "hash" && redactions !== undefined && { redactions }),
  };
}

function previewContent(content: Content, characters: number): Content {
  const short = shortened(content, characters);
  if (short === content) return content;
  return {
    ...short,
    state: "truncated",
    reason:
      content.state === "truncated" && content.reason !== undefined
        ? content.reason
        : "capture policy: preview",
  };
}

function shortened(content: Content, characters: number): Content {
  if (content.format === "messages") {
    const { messages } = content;
    if (messages === undefined || sizeOf(messages) <= characters) return content;
    const room = { left: characters };
    return {
      ...content,
      messages: messages.map((message) => ({
        ...message,
        parts: message.parts.flatMap((part) => shortPart(part, room)),
      })),
    };
  }
  if (content.text !== undefined && content.text.length > characters) {
    return { ...content, text: cut(content.text, characters) };
  }
  if (content.format !== "json" || content.json === undefined) return content;
  const text = JSON.stringify(content.json);
  if (text.length <= characters) return content;
  const { json: _json, ...rest } = content;
  return { ...rest, text: cut(text, characters) };
}

/** Roles and names of tools stay: a preview shows who said something. */
function shortPart(part: MessagePart, room: { left: number }): MessagePart[] {
  const before = room.left;
  room.left -= sizeOf(part);
  if (room.left >= 0) return [part];
  room.left = 0;
  if (part.type === "tool_call")
    return [{ type: "tool_call", name: part.name, ...(part.id !== undefined && { id: part.id }) }];
  if (part.type !== "text" && part.type !== "reasoning") return [];
  return before === 0 ? [] : [{ type: part.type, content: cut(part.content, before) }];
}

/** Of the texts in it, without the names around. */
function sizeOf(value: JsonValue | object): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 4;
  let size = 0;
  for (const [key, member] of Object.entries(value))
    if (key !== "type" && key !== "role") size += sizeOf(member);
  return size;
}

/** Neither half a character nor half a stand-in at the end. */
function cut(text: string, characters: number): string {
  const begin = text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, "");
  const bracket = begin.lastIndexOf("[");
  return bracket > begin.lastIndexOf("]") && begin.length - bracket < 100 ? begin.slice(0, bracket) : begin;
}

function checkFields(path: string, fields: object): void {
  for (const [field, level] of Object.entries(fields)) {
    if (!(CONTENT_FIELDS as readonly string[]).includes(field))
      throw unusable(`${path}.${field}`, "there is no such content");
    if (!LEVELS.includes(level))
      throw unusable(`${path}.${field}`, 'it is none of "full", "preview", "hash" and "none"');
  }
}

function unusable(path: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The redaction option ${path} cannot be used: ${why}.`,
    fix: 'Write it like capture: { input: "preview", kinds: { tool: "none", llm: { output: "hash" } } }.',
  });
}
