import {
  CONTENT_FIELDS,
  type Content,
  type JsonValue,
  type Message,
  type MessagePart,
  type SpanRecord,
} from "@spanloom/model";

/** The span with each long content cut to its beginning, for pages of many. `length` stays that of the whole. */
export function withPreviews(span: SpanRecord, limit: number): SpanRecord {
  let short = span;
  for (const field of CONTENT_FIELDS) {
    const content = span[field];
    if (content === undefined) continue;
    const preview = previewOf(content, limit);
    // Most spans have nothing to cut: they are not copied.
    if (preview !== content) short = { ...short, [field]: preview };
  }
  return short;
}

/** The same object where it is short already. */
export function previewOf(content: Content, limit: number): Content {
  // Whoever captured it has counted the whole: what stands here is no longer.
  if (content.length !== undefined && content.length <= limit) return content;
  if (content.format === "text") {
    const { text } = content;
    if (text === undefined || text.length <= limit) return content;
    return { ...content, ...cut(content, text.length), text: beginning(text, limit) };
  }
  if (content.format === "json") {
    const { json, ...rest } = content;
    if (json === undefined) {
      if (content.text === undefined || content.text.length <= limit) return content;
      return { ...content, ...cut(content, content.text.length), text: beginning(content.text, limit) };
    }
    if (!isLonger(json, limit)) return content;
    const text = JSON.stringify(json);
    return { ...rest, ...cut(content, text.length), text: beginning(text, limit) };
  }
  const { messages } = content;
  if (messages === undefined || !isLonger(messages, limit)) return content;
  return {
    ...content,
    ...cut(content, content.length ?? JSON.stringify(messages).length),
    messages: firstMessages(messages, limit),
  };
}

function cut(content: Content, lengthHere: number): Pick<Content, "state" | "length"> {
  return { state: "preview", length: content.length ?? lengthHere };
}

/** Messages from the first on, until the texts in them fill the limit; the last one that fits is cut. */
function firstMessages(messages: readonly Message[], limit: number): Message[] {
  const kept: Message[] = [];
  let left = limit;
  for (const message of messages) {
    if (left <= 0) break;
    const parts: MessagePart[] = [];
    for (const part of message.parts) {
      if (left <= 0) break;
      const [short, used] = shortPart(part, left);
      parts.push(short);
      left -= used;
    }
    kept.push({ ...message, parts });
  }
  return kept;
}

/** The part within `left` characters, and how many it takes. What is no text is kept whole or by its outline. */
function shortPart(part: MessagePart, left: number): [part: MessagePart, used: number] {
  if (part.type === "text" || part.type === "reasoning") {
    const content = beginning(part.content, left);
    return [
      content.length === part.content.length ? part : { ...part, content },
      part.content.length + OVERHEAD,
    ];
  }
  if (!isLonger(part, left)) return [part, JSON.stringify(part).length];
  if (part.type === "tool_call") {
    const { arguments: value, ...call } = part;
    return [{ ...call, arguments: beginning(JSON.stringify(value) ?? "", left) }, left];
  }
  if (part.type === "tool_call_response") {
    const { response, ...call } = part;
    return [{ ...call, response: beginning(JSON.stringify(response) ?? "", left) }, left];
  }
  if (part.type === "media") {
    const { uri: _, ...media } = part;
    return [media, left];
  }
  return [{ type: "other", value: beginning(JSON.stringify(part.value), left) }, left];
}

/** What a message or a part costs beside its text, so that a flood of empty ones ends, too. */
const OVERHEAD = 16;

/** The first characters; never half of a surrogate pair. */
function beginning(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

/** Whether the JSON of a value is longer than `limit` characters, about: stops looking as soon as it is. Iterative. */
function isLonger(value: JsonValue | readonly Message[] | MessagePart, limit: number): boolean {
  let size = 0;
  const stack: unknown[] = [value];
  while (stack.length > 0 && size <= limit) {
    const current = stack.pop();
    if (typeof current === "string") size += current.length + 2;
    else if (Array.isArray(current)) {
      size += current.length + 1;
      if (size <= limit) for (const member of current) stack.push(member);
    } else if (typeof current === "object" && current !== null) {
      const keys = Object.keys(current);
      size += 4 * keys.length + 1;
      if (size > limit) return true;
      for (const key of keys) {
        size += key.length;
        stack.push((current as Record<string, unknown>)[key]);
      }
    } else if (current !== undefined) size += String(current).length;
  }
  return size > limit;
}
