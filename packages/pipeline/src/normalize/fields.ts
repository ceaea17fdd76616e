import {
  type AttributeValue,
  type Content,
  type JsonValue,
  MAX_ID_LENGTH,
  type Message,
  nanoUsdFromUsd,
  type TokenUsage,
} from "@spanloom/model";
import type { RecordDraft } from "./dialect.ts";
import { readMessages } from "./messages.ts";
import { readCount, readJson, readNumber, readText } from "./values.ts";

/** What several dialects do alike: from the first readable key among some into one field. */

type TextField = "model" | "provider" | "agent" | "threadId" | "workflowName";

/** Moves the first text among the keys, and the others where they say the same. What can be no id becomes none. */
export function moveText(draft: RecordDraft, field: TextField, ...keys: readonly string[]): void {
  for (const key of keys) {
    const text = readText(draft.attribute(key));
    if (text === undefined || text === "" || (field === "threadId" && !isId(text))) continue;
    draft.move(field, text, key);
  }
}

/** For each count, the keys that may hold it, best first. */
export type CountKeys = { readonly [Name in Exclude<keyof TokenUsage, "subtotal">]?: readonly string[] };

/** Moves counts of tokens. Where two keys of one count disagree, the first counts and the other stays. */
export function moveCounts(draft: RecordDraft, countKeys: CountKeys): void {
  const usage: TokenUsage = {};
  const consumed: string[] = [];
  for (const name in countKeys) {
    const field = name as keyof CountKeys;
    for (const key of countKeys[field] ?? []) {
      const count = readCount(draft.attribute(key));
      if (count === undefined || (usage[field] ?? count) !== count) continue;
      const present = draft.record.usage?.[field];
      if (present !== undefined && present !== count) continue;
      usage[field] = count;
      consumed.push(key);
    }
  }
  if (consumed.length > 0) draft.moveUsage(usage, ...consumed);
}

/** What the instrumentation says that the call cost. */
export function moveCost(draft: RecordDraft, key: string): void {
  const nanoUsd = readNanoUsd(draft.attribute(key));
  if (nanoUsd !== undefined) draft.move("cost", { nanoUsd, source: "reported" }, key);
}

/** US dollars as whole nano-USD, where they are a price. */
export function readNanoUsd(value: AttributeValue | undefined): number | undefined {
  const usd = readNumber(value);
  if (usd === undefined || usd < 0) return undefined;
  const nanoUsd = nanoUsdFromUsd(usd);
  return Number.isSafeInteger(nanoUsd) ? nanoUsd : undefined;
}

/** A wait for the first token, from the span's start. */
export function moveFirstTokenAfter(
  draft: RecordDraft,
  unitsPerSecond: number,
  ...keys: readonly string[]
): void {
  for (const key of keys) {
    const wait = readNumber(draft.attribute(key));
    if (wait === undefined || wait < 0 || wait / unitsPerSecond > MAX_WAIT_SECONDS) continue;
    const nanos = BigInt(Math.round((wait / unitsPerSecond) * 1e9));
    draft.move("firstTokenTime", (BigInt(draft.record.startTime) + nanos).toString(), key);
  }
}

const MAX_WAIT_SECONDS = 1e7;

/** Messages where the value is such, else as {@link moveContent}. */
export function moveMessagesOrContent(draft: RecordDraft, field: "input" | "output", key: string): boolean {
  const messages = readMessages(readJson(draft.attribute(key)));
  return messages === undefined
    ? moveContent(draft, field, key)
    : draft.move(field, asMessages(messages), key);
}

/** The value as it is: a structure or the text of one as JSON, any other text as text. */
export function moveContent(draft: RecordDraft, field: "input" | "output", key: string): boolean {
  const value = draft.attribute(key);
  if (value === undefined || hasMessages(draft, field)) return false;
  return draft.move(field, asContent(value), key);
}

/** As {@link moveContent}, for a key that always holds JSON text, or a list of such: the text of a text is that text. */
export function moveJsonText(draft: RecordDraft, field: "input" | "output", key: string): boolean {
  const value = draft.attribute(key);
  if (value === undefined || hasMessages(draft, field)) return false;
  const parsed = Array.isArray(value) ? value.map(parseJsonText) : parseJsonText(value);
  return draft.move(field, asContent(parsed), key);
}

/** Messages are better than any other form of the same; large as both are, it is not worth comparing them. */
export function hasMessages(draft: RecordDraft, field: "input" | "output"): boolean {
  return draft.record[field]?.format === "messages";
}

function parseJsonText(value: JsonValue): JsonValue {
  if (typeof value !== "string") return value;
  if (!value.startsWith('"')) return readJson(value) ?? value;
  try {
    return JSON.parse(value) as string;
  } catch {
    return value;
  }
}

export function asMessages(messages: Message[]): Content {
  return { format: "messages", state: "captured", messages };
}

export function asContent(value: AttributeValue): Content {
  const json: JsonValue | undefined = readJson(value);
  if (typeof json === "object" && json !== null) return { format: "json", state: "captured", json };
  if (typeof value === "string") return { format: "text", state: "captured", text: value };
  return { format: "json", state: "captured", json: value };
}

/** Whether a text can be an id of the model: it becomes part of paths and keys. */
export function isId(value: AttributeValue | undefined): value is string {
  return (
    typeof value === "string" && value !== "" && value.length <= MAX_ID_LENGTH && !/^\.{1,2}$/.test(value)
  );
}
