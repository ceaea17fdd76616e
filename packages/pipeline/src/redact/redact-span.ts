import { hash } from "node:crypto";
import { type Content, canonicalJson, type JsonValue, type SpanRecord } from "@spanloom/model";
import { WITHHELD, withProblem } from "../withhold.ts";
import type { CompiledRules } from "./compile-rules.ts";
import { addCounts, countOf } from "./counts.ts";
import { newProgress, type Progress, redactValue } from "./redact-value.ts";

const CONTENT_FIELDS = ["input", "output", "stateBefore", "stateAfter"] as const;
type ContentField = (typeof CONTENT_FIELDS)[number];

/**
 * Fields that can hold no text of anyone's: ids in hex, times, numbers and words of fixed sets. Everything else is
 * cleaned, also what a later version adds.
 */
const PLAIN: ReadonlySet<string> = new Set<keyof SpanRecord>([
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

/** A stage that takes secrets out of every field. A field that fails is withheld, and the span says so. */
export function createRedactor(rules: CompiledRules): (record: SpanRecord) => SpanRecord {
  return (record) => {
    const progress = newProgress();
    let changed: Record<string, unknown> | undefined;
    const failed: string[] = [];
    for (const field in record) {
      if (PLAIN.has(field)) continue;
      const value = record[field as keyof SpanRecord];
      if (value === undefined) continue;
      let clean: unknown;
      try {
        progress.values = 0;
        clean = isContentField(field) ? redactContent(value as Content, rules) : redactField(field, value, rules, progress);
      } catch {
        failed.push(field);
        clean = isContentField(field) ? withheldContent(value as Content) : REQUIRED[field as keyof SpanRecord];
      }
      if (clean === value) continue;
      changed ??= {};
      changed[field] = clean;
    }
    if (progress.cut) countOf(progress.counts, "too-large");
    if (changed === undefined && progress.counts.size === 0) return record;
    let result = { ...record, ...(changed as Partial<SpanRecord>) };
    if (progress.counts.size > 0) result.redactions = addCounts(record.redactions, progress.counts);
    for (const field of failed) result = withProblem(result, `redact:${field}`);
    return result;
  };
}

function redactField(field: string, value: unknown, rules: CompiledRules, progress: Progress): JsonValue {
  if (typeof value === "string" && value.length < 6 && field !== "name") return value;
  return redactValue(value, rules, progress);
}

function redactContent(content: Content, rules: CompiledRules): Content {
  const progress = newProgress();
  const clean: unknown = redactValue(content, rules, progress);
  let result = clean as Content;
  if (progress.counts.size > 0 || progress.cut) {
    // A hash of what held the secret would let it be guessed.
    const { hash: _hash, length: _length, ...rest } = result;
    result = { ...rest, redactions: addCounts(content.redactions, progress.counts) };
    if (progress.cut) {
      result.state = "truncated";
      result.reason = "too large to be scanned for secrets";
    } else if (content.state === "captured") {
      result.state = "redacted";
      result.reason = "secrets were replaced";
    }
  }
  return withHash(result);
}

/** Only whole values have a hash: of a beginning it would say nothing about the rest. */
function withHash(content: Content): Content {
  if (content.hash !== undefined || (content.state !== "captured" && content.state !== "redacted")) return content;
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
  return { format, state: "not_captured", reason: "cleaning it failed" };
}

function isContentField(field: string): field is ContentField {
  return (CONTENT_FIELDS as readonly string[]).includes(field);
}

