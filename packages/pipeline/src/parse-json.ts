import type { JsonValue } from "@spanloom/model";

/** Where a value stands: in texts and names long numbers are common, and reading every value twice takes its time. */
const LONG_NUMBER = /[[,:]\s*-?\d{16}/;

/**
 * The list or object that a text says in JSON; `undefined` for any other text. A whole number that a double cannot hold
 * becomes the text of its digits: the digits are the value.
 */
export function parseStructure(text: string): JsonValue[] | { [key: string]: JsonValue } | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const unsafe = typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return unsafe && context?.source !== undefined ? context.source : value;
}
