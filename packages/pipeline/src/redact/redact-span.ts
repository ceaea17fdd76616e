import { hash } from "node:crypto";
import {
  CONTENT_FIELDS,
  type Content,
  type ContentField,
  canonicalJson,
  type JsonValue,
  type SpanKind,
  type SpanRecord,
} from "@spanloom/model";
import { WITHHELD, withProblem } from "../withhold.ts";
import { limitContent } from "./capture-policy.ts";
import type { CompiledRules } from "./compile-rules.ts";
import { OWN_WORDS, REASONS } from "./own-words.ts";
import { Progress, type ProgressOptions } from "./progress.ts";
import { redactText, redactValue } from "./redact-value.ts";

/**
 * `plain` fields can hold no text of anyone's: ids in hex, times, numbers and words of fixed sets. `shared` ones are the
 * same object on many spans. Everything that is not named is cleaned, also what a later version adds.
 */
type Treatment = "plain" | "content" | "shared";
const TREATMENTS: ReadonlyMap<string, Treatment> = new Map([
  ...named(
    "plain",
    "traceId",
    "spanId",
    "parentSpanId",
    "kind",
    "otelKind",
    "startTime",
    "endTime",
    "firstTokenTime",
    "syntheticEnd",
    "executionStatus",
    "usage",
    "attempt",
    "revision",
    "flags",
    "dropped",
    "schemaVersion",
  ),
  ...named("content", ...CONTENT_FIELDS),
  ...named("shared", "resource", "instrumentation"),
]);

/** Fields that a record cannot be without, when cleaning them fails. */
const REQUIRED: Partial<SpanRecord> = {
  name: WITHHELD,
  executionId: WITHHELD,
  status: { code: "unset", message: WITHHELD },
  attributes: {},
  events: [],
  links: [],
  resource: { attributes: {} },
  instrumentation: { name: WITHHELD },
};

/** A stage that takes secrets out of every field of a scope's record. */
export type Redactor = (record: SpanRecord, scope?: string) => SpanRecord;

/** A field that fails is withheld, and the span says so. `now` gives milliseconds. */
export function createRedactor(rules: CompiledRules, now: () => number = () => performance.now()): Redactor {
  const shared = { limits: rules.limits, watched: rules.host.any, now, tokenOf: undefined };
  const fields = new FieldMemory(!rules.host.calls);

  return (record, scope = "default") => {
    const options = rules.tokens === undefined ? shared : { ...shared, tokenOf: rules.tokens(scope) };
    const progress = new Progress(record.kind, "", options);
    let changed: Record<string, unknown> | undefined;
    let failed: string[] | undefined;
    for (const field in record) {
      const treatment = TREATMENTS.get(field);
      if (treatment === "plain") continue;
      const value = record[field as keyof SpanRecord];
      if (value === undefined || fields.isClean(field, value)) continue;
      let result: unknown;
      try {
        progress.enter(field);
        result =
          treatment === "content"
            ? redactContent(value as Content, field as ContentField, record.kind, rules, options)
            : redactField(field, value as JsonValue, rules, progress);
      } catch {
        failed = [...(failed ?? []), field];
        result =
          treatment === "content" ? withheldContent(value as Content) : REQUIRED[field as keyof SpanRecord];
      }
      if (result === value) {
        fields.keep(field, value, treatment);
        continue;
      }
      changed ??= {};
      changed[field] = result;
    }
    if (changed === undefined && !progress.tally.any && !progress.cut && !progress.late) return record;
    countLimits(progress);
    let result = { ...record, ...(changed as Partial<SpanRecord>) };
    if (progress.tally.any) result.redactions = progress.tally.addTo(result.redactions);
    for (const field of failed ?? []) result = withProblem(result, `redact:${field}`);
    return result;
  };
}

/** What was clean the last time: most spans say the same about their workflow, service and library. */
class FieldMemory {
  readonly #enabled: boolean;
  readonly #last = new Map<string, unknown>();
  readonly #shared = new WeakSet<object>();

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  isClean(field: string, value: unknown): boolean {
    if (typeof value !== "object") return this.#last.get(field) === value;
    return Array.isArray(value) ? value.length === 0 : this.#shared.has(value as object);
  }

  keep(field: string, value: unknown, treatment: Treatment | undefined): void {
    if (!this.#enabled) return;
    if (typeof value === "string") this.#last.set(field, value);
    else if (treatment === "shared") this.#shared.add(value as object);
  }
}

/** What was withheld for its size or time is counted like any other redaction. */
function countLimits({ cut, late, tally }: Progress): void {
  if (cut) tally.count("too-large");
  if (late) tally.count("too-slow");
}

/** Our own words in a record (states, codes, rule names) and its times and ids are not the host's patterns' to match. */
function redactField(field: string, value: JsonValue, rules: CompiledRules, progress: Progress): JsonValue {
  if (typeof value === "string") return redactText(value, rules, progress);
  switch (field) {
    case "status":
      return redactMembers(value, ["code"], rules, progress);
    case "events":
      return redactEach(value, (event) => redactMembers(event, ["time"], rules, progress));
    case "links":
      return redactEach(value, (link) => redactMembers(link, ["traceId", "spanId"], rules, progress));
    case "redactions":
      return redactEach(value, (one) =>
        redactMembers(one, isOwnRule(one, rules) ? ["rule"] : [], rules, progress),
      );
    default:
      return redactValue(value, rules, progress);
  }
}

function redactContent(
  content: Content,
  field: ContentField,
  kind: SpanKind,
  rules: CompiledRules,
  options: ProgressOptions,
): Content {
  const { capture } = rules;
  const level = capture?.level(field, kind) ?? "full";
  // What is not kept need not be read.
  const given = level === "none" ? limitContent(content, level, 0) : content;
  const clean = withHash(redactMembersOf(given, field, kind, rules, options));
  if (capture === undefined || level === "full" || level === "none") return clean;
  const limited = limitContent(clean, level, capture.previewCharacters);
  // A cut may make of a part what the whole was not, such as a word of a longer one.
  return limited === clean ? clean : redactMembersOf(limited, field, kind, rules, options);
}

function redactMembersOf(
  content: Content,
  field: ContentField,
  kind: SpanKind,
  rules: CompiledRules,
  options: ProgressOptions,
): Content {
  const progress = new Progress(kind, field, options);
  let result = content;
  for (const key of Object.keys(content)) {
    const value = content[key as keyof Content] as JsonValue | undefined;
    if (value === undefined || key === "format" || key === "state" || key === "length") continue;
    const clean = isValue(key)
      ? redactContentValue(key, value, rules, progress)
      : redactAbout(key, value, rules, progress);
    if (clean !== value) result = { ...result, [key]: clean };
  }
  if (!progress.tally.any && !progress.cut && !progress.late) return result;
  // A hash of what held the secret would let it be guessed.
  const { hash: _hash, length: _length, ...rest } = result;
  countLimits(progress);
  const redactions = progress.tally.addTo(result.redactions);
  if (progress.late) {
    const { format } = content;
    return { format, state: "not_captured", reason: REASONS.tooSlow, redactions };
  }
  result = { ...rest, redactions };
  if (progress.cut) {
    result.state = "truncated";
    result.reason = REASONS.tooLarge;
  } else if (content.state === "captured") {
    result.state = "redacted";
    result.reason = REASONS.replaced;
  }
  return result;
}

/** A content's reason, hash and redactions. */
function redactAbout(key: string, value: JsonValue, rules: CompiledRules, progress: Progress): JsonValue {
  if (key === "redactions") return redactField(key, value, rules, progress);
  return typeof value === "string" && OWN_WORDS.has(value) ? value : redactValue(value, rules, progress);
}

function isOwnRule(redaction: JsonValue, rules: CompiledRules): boolean {
  const { rule } = redaction as { rule?: JsonValue };
  return typeof rule === "string" && (OWN_WORDS.has(rule) || rules.host.names.has(rule));
}

function isValue(key: string): boolean {
  return key === "text" || key === "json" || key === "messages";
}

function redactContentValue(
  key: string,
  value: JsonValue,
  rules: CompiledRules,
  progress: Progress,
): JsonValue {
  if (key !== "messages") return redactValue(value, rules, progress);
  const redactPart = (part: JsonValue): JsonValue => redactMembers(part, ["type"], rules, progress);
  return redactEach(value, (message) => {
    const rest = redactMembers(message, ["parts"], rules, progress);
    const { parts } = message as { parts?: JsonValue };
    if (parts === undefined) return rest;
    const clean = redactEach(parts, redactPart);
    return clean === parts ? rest : { ...(rest as { [key: string]: JsonValue }), parts: clean };
  });
}

function redactEach(list: JsonValue, redact: (item: JsonValue) => JsonValue): JsonValue {
  if (!Array.isArray(list)) return redact(list);
  let copy: JsonValue[] | undefined;
  for (const [index, item] of list.entries()) {
    const clean = redact(item);
    if (clean === item) continue;
    copy ??= [...list];
    copy[index] = clean;
  }
  return copy ?? list;
}

/** Cleans the members of one of the model's own objects, but for the ones that `keep` names. */
function redactMembers(
  object: JsonValue,
  keep: readonly string[],
  rules: CompiledRules,
  progress: Progress,
): JsonValue {
  if (typeof object !== "object" || object === null || Array.isArray(object))
    return redactValue(object, rules, progress);
  let result = object;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined || keep.includes(key)) continue;
    const clean = redactValue(value, rules, progress);
    if (clean !== value) result = { ...result, [key]: clean };
  }
  return result;
}

/** Only whole values have a hash: of a beginning it would say nothing about the rest. */
function withHash(content: Content): Content {
  if (content.hash !== undefined || (content.state !== "captured" && content.state !== "redacted"))
    return content;
  const value = contentValue(content);
  if (value === undefined) return content;
  const text = canonicalJson(value);
  const length = typeof value === "string" ? value.length : text.length;
  return { ...content, hash: hash("sha256", text), length };
}

function contentValue(content: Content): unknown {
  if (content.format === "text") return content.text;
  return content.format === "json" ? content.json : content.messages;
}

function withheldContent({ format }: Content): Content {
  return { format, state: "not_captured", reason: REASONS.failed };
}

function named(treatment: Treatment, ...fields: (keyof SpanRecord)[]): [string, Treatment][] {
  return fields.map((field) => [field, treatment]);
}
