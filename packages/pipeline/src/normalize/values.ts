import {
  type AttributeValue,
  type JsonValue,
  MAX_DEPTH,
  plainAttribute,
  rfc3339ToNanos,
  type UnixNanos,
} from "@spanloom/model";
import { parseStructure } from "../parse-json.ts";

/**
 * Attributes come as the instrumentation could send them: numbers as text, lists and objects as JSON text or whole.
 * Each reader gives `undefined` for what it cannot read, and the attribute then stays where it is.
 */

export type JsonObject = { [key: string]: JsonValue };

export function readText(value: AttributeValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

const DECIMAL = /^\d{1,15}(\.\d{1,15})?$/;

/** A finite number, also as decimal text. */
export function readNumber(value: AttributeValue | undefined): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const plain = value === undefined ? undefined : plainAttribute(value);
  if (typeof plain === "number") return Number.isFinite(plain) ? plain : undefined;
  return typeof plain === "string" && DECIMAL.test(plain) ? Number(plain) : undefined;
}

/** A whole number >= 0. */
export function readCount(value: AttributeValue | undefined): number | undefined {
  const number = readNumber(value);
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A list of texts, also as its JSON text; a lone text is a list of one. */
export function readTexts(value: AttributeValue | undefined): string[] | undefined {
  const json = readJson(value);
  const list = Array.isArray(json) ? json : typeof value === "string" && value !== "" ? [value] : [];
  return list.length > 0 && list.every((item) => typeof item === "string") ? (list as string[]) : undefined;
}

/**
 * The value itself, or what its text says in JSON where that is a list or an object; other text as it is, and also text
 * that is nested deeper than a record may be: as a text it can be kept.
 */
export function readJson(value: AttributeValue | undefined): JsonValue | undefined {
  if (typeof value !== "string") return value === undefined ? undefined : plainAttribute(value);
  const structure = parseStructure(value);
  return structure !== undefined && isWithin(structure, MAX_DEPTH) ? structure : value;
}

function isWithin(value: JsonValue, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  const members = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) if (!isWithin(member, depth - 1)) return false;
  return true;
}

/** An object, also as its JSON text. */
export function readObject(value: AttributeValue | undefined): JsonObject | undefined {
  const json = readJson(value);
  return isObject(json) ? json : undefined;
}

/** A time in RFC 3339, also inside a second pair of quotes, as `JSON.stringify` of a `Date` gives it. */
export function readTime(value: AttributeValue | undefined): UnixNanos | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return rfc3339ToNanos(value.replace(/^"(.*)"$/, "$1"));
  } catch {
    return undefined;
  }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
