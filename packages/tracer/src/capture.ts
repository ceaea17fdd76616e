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
  const budget: Budget = { left: maxLength };
  const json = toJson(value, budget, 0, []);
  if (json === undefined) return undefined;
  const messages = budget.left < 0 ? undefined : messagesOf(json);
  if (messages !== undefined) return { format: "messages", state: "captured", messages };
  if (budget.left >= 0) return { format: "json", state: "captured", json };
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
  return toJson(value, { left: maxLength }, 0, []);
}

function captureText(text: string, maxLength: number): Content {
  if (text.length <= maxLength) return { format: "text", state: "captured", text };
  return { format: "text", state: "truncated", reason: tooLong(maxLength), text: text.slice(0, maxLength) };
}

function tooLong(maxLength: number): string {
  return `longer than ${maxLength} characters`;
}

interface Budget {
  left: number;
}

function toJson(value: unknown, budget: Budget, depth: number, above: object[]): JsonValue | undefined {
  if (budget.left < 0) return undefined;
  switch (typeof value) {
    case "string":
      if (value.length > budget.left) {
        const kept = value.slice(0, budget.left);
        budget.left = -1;
        return kept;
      }
      budget.left -= value.length + 2;
      return value;
    case "number":
      budget.left -= 8;
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      budget.left -= 5;
      return value;
    case "bigint":
      return toJson(value.toString(), budget, depth, above);
    case "object":
      if (value === null) {
        budget.left -= 5;
        return null;
      }
      return objectToJson(value, budget, depth, above);
    default:
      return undefined;
  }
}

function objectToJson(value: object, budget: Budget, depth: number, above: object[]): JsonValue | undefined {
  budget.left -= 2;
  if (depth >= MAX_CAPTURE_DEPTH) return "[nested too deep]";
  if (above.includes(value)) return "[circular]";
  above.push(value);
  try {
    if (Array.isArray(value)) {
      return listToJson(value, budget, depth, above);
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      return membersToJson(value, budget, depth, above);
    if (value instanceof Map) return mapToJson(value, budget, depth, above);
    if (value instanceof Set) return listToJson(value, budget, depth, above);
    const plain = plainOf(value);
    if (typeof plain !== "object" || plain === null) return toJson(plain, budget, depth, above);
    // What toJSON gave may be the same object again.
    if (Array.isArray(plain)) return listToJson(plain, budget, depth, above);
    return membersToJson(plain, budget, depth, above);
  } catch {
    return "[unreadable]";
  } finally {
    above.pop();
  }
}

/** Never walks further than the budget goes: a list may have billions of places and nothing in them. */
function listToJson(list: Iterable<unknown>, budget: Budget, depth: number, above: object[]): JsonValue[] {
  const out: JsonValue[] = [];
  for (const member of list) {
    if (budget.left < 0) break;
    budget.left--;
    out.push(toJson(member ?? null, budget, depth + 1, above) ?? null);
  }
  return out;
}

function mapToJson(
  map: ReadonlyMap<unknown, unknown>,
  budget: Budget,
  depth: number,
  above: object[],
): JsonValue {
  const out: Record<string, JsonValue> = {};
  for (const [key, value] of map) {
    if (budget.left < 0) break;
    addMember(out, String(key), value, budget, depth, above);
  }
  return out;
}

function membersToJson(value: object, budget: Budget, depth: number, above: object[]): JsonValue {
  const out: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    if (budget.left < 0) break;
    addMember(out, key, (value as Record<string, unknown>)[key], budget, depth, above);
  }
  return out;
}

function addMember(
  out: Record<string, JsonValue>,
  key: string,
  value: unknown,
  budget: Budget,
  depth: number,
  above: object[],
): void {
  budget.left -= key.length + 3;
  const member = toJson(value, budget, depth + 1, above);
  if (member === undefined) return;
  // Assigning to this key would set the prototype instead.
  if (key === "__proto__") Object.defineProperty(out, key, { value: member, enumerable: true });
  else out[key] = member;
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
