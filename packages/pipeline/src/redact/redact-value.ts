import type { JsonValue } from "@spanloom/model";
import { parseStructure } from "../parse-json.ts";
import { WITHHELD } from "../withhold.ts";
import type { CompiledRules } from "./compile-rules.ts";
import { type Counts, countOf, isReplaced, replacement } from "./counts.ts";
import type { KeyRule } from "./secret-keys.ts";

/** Texts beyond this length, in UTF-16 code units, are cut before they are scanned: nothing passes unscanned. */
const MAX_TEXT = 1_048_576;
/** Stands at the end of a text that was cut. */
const CUT = "…[cut]";
/** Deeper values are withheld, as every store refuses them. */
const MAX_DEPTH = 100;
/** Values in one field of a record; what is beyond is withheld. Also ends a structure that contains itself. */
const MAX_VALUES = 200_000;
/** JSON in JSON in JSON: deeper texts are scanned as text. */
const MAX_PARSES = 4;
const MAX_ROUNDS = 8;
/** A cut does not leave the first half of a secret: the word that it would split goes too. */
const MAX_SPLIT_WORD = 1_024;

/** What cleaning one field has done so far. */
export interface Progress {
  counts: Counts;
  /** A text was cut or a value withheld for its size. */
  cut: boolean;
  values: number;
  parses: number;
}

export function newProgress(): Progress {
  return { counts: new Map(), cut: false, values: 0, parses: 0 };
}

/** The value without secrets; the same value, not a copy, where there are none. */
export function redactValue(value: unknown, rules: CompiledRules, progress: Progress, depth = 0): JsonValue {
  if (typeof value === "string") return redactText(value, rules, progress);
  if (typeof value === "number") return Number.isFinite(value) ? value : { $double: String(value) };
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") return typeof value === "bigint" ? { $int: String(value) } : WITHHELD;
  if (depth >= MAX_DEPTH || ++progress.values > MAX_VALUES) {
    progress.cut = true;
    return WITHHELD;
  }
  if (Array.isArray(value)) return redactList(value, rules, progress, depth);
  if (value instanceof Uint8Array) return redactBytes(Buffer.from(value).toString("base64"), rules, progress);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? WITHHELD : value.toISOString();
  return redactObject(value as { [key: string]: JsonValue }, rules, progress, depth);
}

/** The text without secrets, cut where it is too long to be scanned. JSON is read as what it says. */
function redactText(text: string, rules: CompiledRules, progress: Progress): string {
  let current = text;
  if (text.length > MAX_TEXT) {
    progress.cut = true;
    current = cutText(text);
  }
  // What a secret's neighbour is may change when the secret goes: once more, until nothing is found.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const clean = redactOnce(current, rules, progress);
    if (clean === current) break;
    current = clean;
  }
  return current;
}

function redactOnce(text: string, rules: CompiledRules, progress: Progress): string {
  const first = text[0];
  if ((first === "{" || first === "[" || first === " " || first === "\n") && progress.parses < MAX_PARSES) {
    const clean = redactJsonText(text, rules, progress);
    if (clean !== undefined) return clean;
  }
  return rules.scan(text, progress.counts);
}

/** JSON text, cleaned as the value that it says. `undefined` where it is none, or none of its keys can be secret. */
function redactJsonText(text: string, rules: CompiledRules, progress: Progress): string | undefined {
  if (!(rules.namesSecret(text) || text.includes("\\"))) return undefined;
  const value = parseStructure(text);
  if (value === undefined) return undefined;
  progress.parses++;
  const clean = redactValue(value, rules, progress, progress.parses * 8);
  progress.parses--;
  return clean === value ? text : JSON.stringify(clean);
}

function cutText(text: string): string {
  const end = MAX_TEXT - CUT.length;
  const tail = text.slice(end - MAX_SPLIT_WORD, end);
  const word = /\S*$/.exec(tail)?.[0].length ?? 0;
  return text.slice(0, end - word) + CUT;
}

function redactList(list: JsonValue[], rules: CompiledRules, progress: Progress, depth: number): JsonValue[] {
  let copy: JsonValue[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const value = list[index] ?? null;
    const rule = namedBefore(list, index, rules);
    const clean =
      rule === undefined
        ? redactValue(value, rules, progress, depth + 1)
        : redactSecret(value, rule, rules, progress, depth + 1);
    if (clean === list[index]) continue;
    copy ??= [...list];
    copy[index] = clean;
  }
  return copy ?? list;
}

const HEADER_NAME = /^[A-Za-z][A-Za-z-]*$/;

/**
 * The rule that the item before this one names: of a header list (`["authorization", "Basic ..."]`, flat or in pairs)
 * or of a command line (`--password`, `hunter2`). A plain list of names names nothing.
 */
function namedBefore(list: JsonValue[], index: number, rules: CompiledRules): KeyRule | undefined {
  const name = list[index - 1];
  const value = list[index];
  if (typeof name !== "string" || name.length > 100) return undefined;
  const option = name.startsWith("-") && !name.includes("=") && !name.includes(" ");
  if (!option && (index % 2 === 0 || !/^[A-Za-z][\w.-]*$/.test(name))) return undefined;
  const rule = rules.keyRule(name);
  if (rule === undefined || typeof value !== "string")
    return rule !== undefined && !option && Array.isArray(value) ? rule : undefined;
  if (option) return value.startsWith("-") ? undefined : rule;
  const alsoAName =
    HEADER_NAME.test(value) && (value.includes("-") || rules.keyRule(value) !== undefined || list.length > 2);
  return alsoAName || (HEADER_NAME.test(value) && list.length === 2 && value.length < 6) ? undefined : rule;
}

function redactObject(
  object: { [key: string]: JsonValue },
  rules: CompiledRules,
  progress: Progress,
  depth: number,
): JsonValue {
  const keys = Object.keys(object);
  if (keys.length === 1 && keys[0] === "$bytes" && typeof object.$bytes === "string") {
    return redactBytes(object.$bytes, rules, progress, object);
  }
  const named = keys.length <= 8 ? namedMember(object, rules) : undefined;
  let copy: { [key: string]: JsonValue } | undefined;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const value = object[key];
    if (value === undefined) continue;
    const cleanKey = key.length < 16 ? key : redactText(key, rules, progress);
    const rule = (key === named?.member ? named.rule : undefined) ?? rules.keyRule(withoutMarkers(cleanKey));
    const clean =
      rule === undefined || (rule.takes === "text" && Object.hasOwn(object, "logprob"))
        ? redactValue(value, rules, progress, depth + 1)
        : redactSecret(value, rule, rules, progress, depth + 1);
    if (copy === undefined && (clean !== value || cleanKey !== key)) copy = copyOf(object, keys, index);
    if (copy !== undefined) put(copy, cleanKey, clean);
  }
  return copy ?? object;
}

/** The name of a rule in a key is not the key's own word. */
function withoutMarkers(key: string): string {
  return key.includes("[redacted:") ? key.replace(/\[redacted:[\w-]{1,60}\]/g, "") : key;
}

function copyOf(
  object: { [key: string]: JsonValue },
  keys: string[],
  count: number,
): { [key: string]: JsonValue } {
  const copy: { [key: string]: JsonValue } = {};
  for (let index = 0; index < count; index++) {
    const key = keys[index] as string;
    const value = object[key];
    if (value !== undefined) put(copy, key, value);
  }
  return copy;
}

/** Keys that became equal by redaction are told apart, so that no value is lost. */
function put(target: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
  let free = key;
  for (let count = 2; Object.hasOwn(target, free); count++) free = `${key} (${count})`;
  if (free !== "__proto__") target[free] = value;
  else Object.defineProperty(target, free, { value, enumerable: true, configurable: true, writable: true });
}

/** `{ name: "authorization", value: "..." }`, as HAR files and header lists have it: the member that holds the secret. */
function namedMember(
  object: { [key: string]: JsonValue },
  rules: CompiledRules,
): { member: string; rule: KeyRule } | undefined {
  const name = object.name ?? object.key ?? object.header;
  if (typeof name !== "string" || name.length > 100) return undefined;
  const member = ["value", "values"].find((candidate) => object[candidate] !== undefined);
  const rule = member === undefined ? undefined : rules.keyRule(name);
  return member === undefined || rule === undefined ? undefined : { member, rule };
}

/** A value that its key calls secret. What is no secret under any name (true, null, nothing, a schema) is walked. */
function redactSecret(
  value: JsonValue,
  rule: KeyRule,
  rules: CompiledRules,
  progress: Progress,
  depth: number,
): JsonValue {
  if (typeof value === "string") {
    return value === "" || isWholeReplacement(value)
      ? value
      : replacement(countOf(progress.counts, rule.name));
  }
  if (typeof value === "number" && rule.takes === "everything")
    return replacement(countOf(progress.counts, rule.name));
  if (typeof value !== "object" || value === null) return redactValue(value, rules, progress, depth);
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object" || item === null)) {
      const clean = value.map((item) => redactSecret(item, rule, rules, progress, depth + 1));
      return clean.some((item, index) => item !== value[index]) ? clean : value;
    }
  } else if (isSchema(value) || rule.takes === "text") {
    return redactValue(value, rules, progress, depth);
  }
  return Object.keys(value).length === 0 ? value : replacement(countOf(progress.counts, rule.name));
}

const SCHEMA_TYPES = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);

/** The description of a parameter called `password` is not a password. */
function isSchema(value: { [key: string]: JsonValue }): boolean {
  return typeof value.$ref === "string" || (typeof value.type === "string" && SCHEMA_TYPES.has(value.type));
}

function isWholeReplacement(text: string): boolean {
  return (isReplaced(text) && text.endsWith("]") && text.length < 80) || text === WITHHELD;
}

/** Bytes are read as text for the scan; where that finds a secret, they go. */
function redactBytes(base64: string, rules: CompiledRules, progress: Progress, whole?: JsonValue): JsonValue {
  if (base64.length > MAX_TEXT) {
    progress.cut = true;
    return WITHHELD;
  }
  const text = Buffer.from(base64, "base64").toString("latin1");
  if (redactText(text, rules, progress) !== text) return replacement("bytes");
  return whole ?? { $bytes: base64 };
}
