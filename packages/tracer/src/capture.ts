import type { Content, JsonValue, Message } from "@spanloom/model";
import { readMessages } from "@spanloom/pipeline";

/** How much of one content is kept, in UTF-16 code units of its text. What is longer is cut, and says so. */
const MAX_CONTENT_LENGTH = 1_048_576;
/** Stays below the depth that stores accept, since content is nested inside a record. */
const MAX_CAPTURE_DEPTH = 60;

/**
 * Takes a picture of a value as content: a string as text, chat messages as messages, anything else as JSON. What JSON
 * cannot hold becomes something that it can; cycles, getters that throw and endless nesting do no harm.
 */
export function captureContent(value: unknown, maxLength: number = MAX_CONTENT_LENGTH): Content | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return captureText(value, maxLength);
  const picture = new Picture(maxLength);
  const json = picture.toJson(value);
  if (json === undefined) return undefined;
  const messages = picture.left < 0 ? undefined : messagesOf(json);
  if (messages !== undefined) return { format: "messages", state: "captured", messages };
  if (picture.left >= 0) return { format: "json", state: "captured", json };
  return { format: "json", state: "truncated", reason: tooLong(maxLength), text: JSON.stringify(json) };
}

/** A list of chat messages: what has a role and nothing to say is something else. */
function messagesOf(json: JsonValue): Message[] | undefined {
  return Array.isArray(json) && json.every(saysSomething) ? readMessages(json) : undefined;
}

function saysSomething(item: JsonValue): boolean {
  if (typeof item !== "object" || item === null) return false;
  return "content" in item || "parts" in item || "tool_calls" in item;
}

/** Any value as JSON, within `maxLength`; what does not fit is left out. */
export function captureJson(value: unknown, maxLength: number = MAX_CONTENT_LENGTH): JsonValue | undefined {
  return new Picture(maxLength).toJson(value);
}

function captureText(text: string, maxLength: number): Content {
  if (text.length <= maxLength) return { format: "text", state: "captured", text };
  return { format: "text", state: "truncated", reason: tooLong(maxLength), text: text.slice(0, maxLength) };
}

function tooLong(maxLength: number): string {
  return `longer than ${maxLength} characters`;
}

/** One walk over a value. */
class Picture {
  /** Of the length that is allowed. */
  left: number;
  readonly #above: object[] = [];

  constructor(maxLength: number) {
    this.left = maxLength;
  }

  toJson(value: unknown): JsonValue | undefined {
    if (this.left < 0) return undefined;
    switch (typeof value) {
      case "string":
        if (value.length > this.left) {
          const kept = value.slice(0, this.left);
          this.left = -1;
          return kept;
        }
        this.left -= value.length + 2;
        return value;
      case "number":
        this.left -= 8;
        return Number.isFinite(value) ? value : String(value);
      case "boolean":
        this.left -= 5;
        return value;
      case "bigint":
        return this.toJson(value.toString());
      case "object":
        if (value === null) {
          this.left -= 5;
          return null;
        }
        return this.#object(value);
      default:
        return undefined;
    }
  }

  #object(value: object): JsonValue | undefined {
    this.left -= 2;
    if (this.#above.length >= MAX_CAPTURE_DEPTH) return "[nested too deep]";
    if (this.#above.includes(value)) return "[circular]";
    this.#above.push(value);
    try {
      if (Array.isArray(value)) return this.#list(value);
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return this.#members(value);
      if (value instanceof Map) return this.#pairs(value);
      if (value instanceof Set) return this.#list(value);
      const plain = plainOf(value);
      if (typeof plain !== "object" || plain === null) return this.toJson(plain);
      // What toJSON gave may be the same object again.
      return Array.isArray(plain) ? this.#list(plain) : this.#members(plain);
    } catch {
      return "[unreadable]";
    } finally {
      this.#above.pop();
    }
  }

  /** Never walks further than the budget goes: a list may have billions of places and nothing in them. */
  #list(list: Iterable<unknown>): JsonValue[] {
    const out: JsonValue[] = [];
    for (const member of list) {
      if (this.left < 0) break;
      this.left--;
      out.push(this.toJson(member ?? null) ?? null);
    }
    return out;
  }

  #pairs(map: ReadonlyMap<unknown, unknown>): JsonValue {
    const out: Record<string, JsonValue> = {};
    for (const [key, value] of map) {
      if (this.left < 0) break;
      this.#add(out, String(key), value);
    }
    return out;
  }

  #members(value: object): JsonValue {
    const out: Record<string, JsonValue> = {};
    for (const key of Object.keys(value)) {
      if (this.left < 0) break;
      this.#add(out, key, (value as Record<string, unknown>)[key]);
    }
    return out;
  }

  #add(out: Record<string, JsonValue>, key: string, value: unknown): void {
    this.left -= key.length + 3;
    const member = this.toJson(value);
    if (member === undefined) return;
    // Assigning to this key would set the prototype instead.
    if (key === "__proto__") Object.defineProperty(out, key, { value: member, enumerable: true });
    else out[key] = member;
  }
}

/** What stands for an object of a class that JSON would lose or blow up. */
function plainOf(value: object): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Promise || Symbol.asyncIterator in value) return `[${value.constructor.name}]`;
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON();
  return value;
}
