import type { Attributes, AttributeValue } from "../attributes.ts";
import type { OtlpAnyValue } from "./otlp-types.ts";
import { int64Text, malformed, readList, readObject, readText } from "./read-json.ts";

/** Values nested deeper than this are refused: no other tool reads them, and recursion must end somewhere. */
export const MAX_VALUE_DEPTH = 100;

/**
 * An attribute value as OTLP's AnyValue: the exact inverse of {@link fromAnyValue}. Whole numbers in the safe range are
 * int64, other numbers doubles, null is an AnyValue without a value; the reserved objects of {@link AttributeValue}
 * become what they stand for. An object that only resembles one of them (`{ "$int": "five" }`) is an ordinary key-value list.
 * Throws `invalid_record` for values nested deeper than {@link MAX_VALUE_DEPTH}.
 */
export function toAnyValue(value: AttributeValue, depth = 0): OtlpAnyValue {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep();
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return isPlainInt(value) ? { intValue: String(value) } : double(value);
  if (value === null) return {};
  if (Array.isArray(value)) {
    return { arrayValue: { values: value.map((member) => toAnyValue(member, depth + 1)) } };
  }
  const wrapper = wrapperOf(value, depth);
  if (wrapper?.key === "$int") return { intValue: wrapper.text };
  if (wrapper?.key === "$double") return double(Number(wrapper.text));
  if (wrapper?.key === "$bytes") return { bytesValue: wrapper.text };
  const entries = wrapper?.entries ?? Object.entries(value);
  return {
    kvlistValue: { values: entries.map(([key, member]) => ({ key, value: toAnyValue(member, depth + 1) })) },
  };
}

/** An AnyValue as any exporter writes it. Throws `invalid_record` where it is malformed or nested too deep. */
export function fromAnyValue(value: unknown, depth = 0): AttributeValue {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep();
  const any = readObject(value, "An attribute value");
  if (isGiven(any.stringValue)) return readText(any.stringValue, "A stringValue");
  if (isGiven(any.boolValue)) {
    if (typeof any.boolValue === "boolean") return any.boolValue;
    throw malformed("A boolValue", "must be true or false");
  }
  if (isGiven(any.intValue)) return intFrom(any.intValue);
  if (isGiven(any.doubleValue)) return doubleFrom(any.doubleValue);
  if (isGiven(any.bytesValue)) return bytesFrom(any.bytesValue);
  if (isGiven(any.arrayValue)) {
    const { values } = readObject(any.arrayValue, "An arrayValue");
    return readList(values, "The values of an arrayValue").map((member) => fromAnyValue(member, depth + 1));
  }
  if (!isGiven(any.kvlistValue)) return null;
  const { values } = readObject(any.kvlistValue, "A kvlistValue");
  const entries = entriesFrom(values, depth + 1);
  const object = Object.fromEntries(entries);
  const faithful = Object.keys(object).length === entries.length && wrapperOf(object, depth) === undefined;
  return faithful ? object : { $map: entries };
}

/** A list of attributes by key. OTLP forbids repeated keys here; of those that come nevertheless the last one stands. */
export function fromKeyValues(list: unknown): Attributes {
  return Object.fromEntries(entriesFrom(list, 0));
}

type Entries = [key: string, value: AttributeValue][];

function entriesFrom(list: unknown, depth: number): Entries {
  return readList(list, "Attributes").map((item) => {
    const { key, value } = readObject(item, "An attribute");
    return [readText(key, "An attribute's key"), fromAnyValue(value, depth)];
  });
}

type Wrapper =
  | { key: "$int" | "$double" | "$bytes"; text: string; entries?: undefined }
  | { key: "$map"; text?: undefined; entries: Entries };

/**
 * The reserved object that `value` is, if it is exactly one that {@link fromAnyValue} would make. Because only these are
 * special, every JSON value has one AnyValue and comes back from it unchanged.
 */
function wrapperOf(value: { [key: string]: AttributeValue }, depth: number): Wrapper | undefined {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep();
  const keys = Object.keys(value);
  const [key] = keys;
  if (keys.length !== 1 || key === undefined || !key.startsWith("$")) return undefined;
  const inner = value[key];
  if (key === "$map" && Array.isArray(inner) && inner.every(isEntry)) {
    const object = Object.fromEntries(inner);
    const needed = Object.keys(object).length < inner.length || wrapperOf(object, depth + 1) !== undefined;
    return needed ? { key, entries: inner } : undefined;
  }
  if (typeof inner !== "string") return undefined;
  if (key === "$int" && int64Text(inner) === inner && !Number.isSafeInteger(Number(inner))) {
    return { key, text: inner };
  }
  if (key === "$double" && isWrappedDouble(Number(inner)) && doubleText(Number(inner)) === inner) {
    return { key, text: inner };
  }
  return key === "$bytes" && isBase64(inner) ? { key, text: inner } : undefined;
}

function isEntry(value: AttributeValue): value is [string, AttributeValue] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string";
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isPlainInt(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** Doubles that a plain number cannot stand for: it would be an int64, or no JSON at all. */
function isWrappedDouble(value: number): boolean {
  return Number.isSafeInteger(value) || !Number.isFinite(value);
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function double(value: number): OtlpAnyValue {
  return { doubleValue: Number.isFinite(value) && !Object.is(value, -0) ? value : doubleText(value) };
}

function intFrom(value: unknown): AttributeValue {
  const text = int64Text(value);
  if (text === undefined) throw malformed("An intValue", "must be an int64");
  return Number.isSafeInteger(Number(text)) ? Number(text) : { $int: text };
}

function doubleFrom(value: unknown): AttributeValue {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || (Number.isNaN(number) && value !== "NaN" && !Number.isNaN(value))) {
    throw malformed("A doubleValue", "must be a number, NaN or an infinity");
  }
  return isWrappedDouble(number) ? { $double: doubleText(number) } : number;
}

function bytesFrom(value: unknown): AttributeValue {
  const text = readText(value, "A bytesValue").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, "=");
  if (isBase64(padded)) return { $bytes: padded };
  throw malformed("A bytesValue", "must be base64");
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function tooDeep(): Error {
  return malformed("An attribute value", `is nested deeper than ${MAX_VALUE_DEPTH} levels`);
}
