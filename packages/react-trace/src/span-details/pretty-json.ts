import { type Content, canonicalJson, type JsonValue } from "@spanloom/model";

/** JSON over lines. A text stays as it is; a nesting too deep for the engine comes on one line. */
export function prettyJson(value: JsonValue): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value, undefined, 2);
  } catch {
    return canonicalJson(value);
  }
}

/** The content as text to copy; `undefined` when nothing of it is here. */
export function contentText(content: Content): string | undefined {
  if (content.format === "messages") {
    return content.messages && canonicalOrPretty(content.messages);
  }
  if (content.format === "json" && content.json !== undefined) return prettyJson(content.json);
  return content.text;
}

function canonicalOrPretty(value: unknown): string {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch {
    return canonicalJson(value);
  }
}
