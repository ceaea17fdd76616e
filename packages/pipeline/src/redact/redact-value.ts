import type { JsonValue } from "@spanloom/model";
import { parseStructure } from "../parse-json.ts";
import { WITHHELD } from "../withhold.ts";
import type { CompiledRules } from "./compile-rules.ts";
import { MAY_HOLD } from "./prescan.ts";
import type { Progress } from "./progress.ts";
import { scanEncoded } from "./scan-encoded.ts";
import { looksRandom } from "./scan-near.ts";
import type { KeyRule } from "./secret-keys.ts";
import { isMarker, withoutMarkers } from "./tally.ts";

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
/** Where an escape may hide a name, or a value from its name. */
const HIDING = MAY_HOLD.word | MAY_HOLD.encoded;
/** No secret is shorter. */
const MIN_LENGTH = 6;

/** The value without secrets; the same value, not a copy, where there are none. */
export function redactValue(value: unknown, rules: CompiledRules, progress: Progress, depth = 0): JsonValue {
  if (typeof value === "string") return redactText(value, rules, progress);
  if (typeof value === "number") return redactNumber(value, rules, progress);
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

function redactNumber(value: number, rules: CompiledRules, progress: Progress): JsonValue {
  if (!Number.isFinite(value)) return { $double: String(value) };
  return rules.isSecretNumber(value) ? progress.tally.replace("card", String(value)) : value;
}

/** The text without secrets, cut where it is too long to be scanned. JSON is read as what it says. */
export function redactText(text: string, rules: CompiledRules, progress: Progress): string {
  const { host, limits } = rules;
  if (!progress.mayRead(Math.min(text.length, limits.textCharacters))) return WITHHELD;
  if (text.length > limits.textCharacters) {
    progress.cut = true;
    return redactLong(cutText(text, limits.textCharacters), rules, progress);
  }
  if (host.any) return redactLong(text, rules, progress);
  const bits = text.length < MIN_LENGTH ? 0 : rules.suspect(text);
  return bits === 0 ? text : redactLong(text, rules, progress, bits);
}

/** `bits`: of `suspect`, where they are known. */
function redactLong(text: string, rules: CompiledRules, progress: Progress, bits?: number): string {
  const { host } = rules;
  let current = text;
  if (host.calls && !isMarker(text) && text !== WITHHELD) {
    current = host.call(text, progress.place, progress.tally);
  }
  // What a secret's neighbour is may change when the secret goes: once more, until nothing is found.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = current === text ? bits : undefined;
    const clean = redactOnce(current, known ?? rules.suspect(current), rules, progress);
    if (clean === current) break;
    current = clean;
  }
  return progress.inTime() ? current : WITHHELD;
}

function redactOnce(text: string, bits: number, rules: CompiledRules, progress: Progress): string {
  const first = text[0];
  if ((first === "{" || first === "[" || first === " " || first === "\n") && progress.parses < MAX_PARSES) {
    const mayHide = (bits & MAY_HOLD.word) !== 0 || ((bits & MAY_HOLD.escape) !== 0 && text.includes("\\"));
    const clean = mayHide || rules.host.calls ? redactJsonText(text, rules, progress) : undefined;
    if (clean !== undefined) return clean;
  }
  // First as it stands: an encoded `&` in a value does not end it.
  const clean = rules.scan(text, bits, progress);
  return (bits & HIDING) !== 0 && clean.includes("%") ? redactEncoded(clean, rules, progress) : clean;
}

/** What stands percent-encoded in the text, cleaned as what it says. */
function redactEncoded(text: string, rules: CompiledRules, progress: Progress): string {
  if (progress.parses >= MAX_PARSES) return text;
  progress.parses++;
  const clean = scanEncoded(text, (decoded) => redactText(decoded, rules, progress));
  progress.parses--;
  return clean;
}

/** JSON text, cleaned as the value that it says. `undefined` where it is none. */
function redactJsonText(text: string, rules: CompiledRules, progress: Progress): string | undefined {
  const value = parseStructure(text);
  if (value === undefined) return undefined;
  progress.parses++;
  const clean = redactValue(value, rules, progress, progress.parses * 8);
  progress.parses--;
  return clean === value ? text : JSON.stringify(clean);
}

function cutText(text: string, characters: number): string {
  const end = Math.max(0, characters - CUT.length);
  const tail = text.slice(Math.max(0, end - MAX_SPLIT_WORD), end);
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
  around?: KeyRule,
): JsonValue {
  const keys = Object.keys(object);
  if (keys.length === 1 && keys[0] === "$bytes" && isBase64(object.$bytes)) {
    return redactBytes(object.$bytes, rules, progress, object);
  }
  const named = keys.length <= 8 ? namedMember(object, rules) : undefined;
  let copy: { [key: string]: JsonValue } | undefined;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const value = object[key];
    if (value === undefined) continue;
    const known = rules.cleanKey(key);
    const cleanKey = known === undefined ? redactText(key, rules, progress) : key;
    const ownRule = known === undefined ? rules.keyRule(withoutMarkers(cleanKey)) : (known ?? undefined);
    const rule =
      (key === named?.member ? named.rule : undefined) ?? ownRule ?? aboutText(around, object, key);
    progress.place.key = cleanKey;
    const clean =
      rule === undefined || (rule.takes === "text" && Object.hasOwn(object, "logprob"))
        ? redactValue(value, rules, progress, depth + 1)
        : redactSecret(value, rule, rules, progress, depth + 1);
    if (copy === undefined && (clean !== value || cleanKey !== key)) copy = copyOf(object, keys, index);
    if (copy !== undefined) put(copy, cleanKey, clean);
  }
  return copy ?? object;
}

/** What a JSON Web Key has only where it is a private one. Source: RFC 7518, section 6. */
const PRIVATE_MEMBER = /^(?:d|k|p|q|dp|dq|qi)$/;
const PRIVATE_KEY: KeyRule = { name: "private-key", takes: "text" };

/** What stands around a text says something about it, too; what is deeper stands for itself. */
function aboutText(
  around: KeyRule | undefined,
  object: { [key: string]: JsonValue },
  key: string,
): KeyRule | undefined {
  const isPrivate = key.length <= 2 && PRIVATE_MEMBER.test(key) && typeof object.kty === "string";
  const rule = isPrivate ? PRIVATE_KEY : around;
  return rule !== undefined && typeof object[key] === "string" ? rule : undefined;
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
    if (value === "" || value === WITHHELD || isMarker(value)) return value;
    return rule.takes !== "random" || looksRandom(value)
      ? progress.tally.replace(rule.name, value)
      : redactText(value, rules, progress);
  }
  if (typeof value === "number" && rule.takes === "everything")
    return progress.tally.replace(rule.name, String(value));
  if (typeof value !== "object" || value === null) return redactValue(value, rules, progress, depth);
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object" || item === null)) {
      const clean = value.map((item) => redactSecret(item, rule, rules, progress, depth + 1));
      return clean.some((item, index) => item !== value[index]) ? clean : value;
    }
  } else if (isSchema(value)) {
    return redactValue(value, rules, progress, depth);
  } else if (rule.takes !== "everything") {
    return redactObject(value, rules, progress, depth, { name: rule.name, takes: "random" });
  }
  if (rule.takes === "random") return redactValue(value, rules, progress, depth);
  return Object.keys(value).length === 0 ? value : progress.tally.replace(rule.name, JSON.stringify(value));
}

const SCHEMA_TYPES = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);

/** The description of a parameter called `password` is not a password. */
function isSchema(value: { [key: string]: JsonValue }): boolean {
  return typeof value.$ref === "string" || (typeof value.type === "string" && SCHEMA_TYPES.has(value.type));
}

/** Anything else would not be read as bytes, and is a text. */
function isBase64(value: JsonValue | undefined): value is string {
  return typeof value === "string" && /^[\w+/-]*={0,2}$/.test(value);
}

/** Bytes are read as text for the scan; where that finds a secret, they go. */
function redactBytes(base64: string, rules: CompiledRules, progress: Progress, whole?: JsonValue): JsonValue {
  if (base64.length > rules.limits.textCharacters) {
    progress.cut = true;
    return WITHHELD;
  }
  const text = Buffer.from(base64, "base64").toString("latin1");
  if (redactText(text, rules, progress) !== text) return progress.tally.marker("bytes", base64);
  return whole ?? { $bytes: base64 };
}
