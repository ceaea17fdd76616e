import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type JsonValue, SPAN_KINDS, type SpanRecord } from "@spanloom/model";
import { sampleTrace } from "@spanloom/model/fixtures";
import { decodeOtlp } from "@spanloom/model/otlp";
import { describe, expect, test } from "vitest";
import { createPipeline } from "./pipeline.ts";
import { fullRecord, IN_CONTEXT, PERSONAL, SHAPED } from "./redact/canaries.test-support.ts";

const pipeline = createPipeline({
  redaction: {
    personalData: true,
    patterns: [{ name: "customer", pattern: "CN-\\d{8}" }],
    functions: [
      {
        name: "nickname",
        redact: (text) => (text.includes("Kanari") ? text.replaceAll("Kanari", "[nick]") : undefined),
      },
    ],
  },
});

/** A text that holds a secret, and the parts of it that may stand nowhere. */
interface Canary {
  name: string;
  text: string;
  secrets: string[];
}

const canaries: Canary[] = [
  ...Object.entries(SHAPED).map(([name, text]) => ({ name, text, secrets: text.split("\n") })),
  ...IN_CONTEXT.map(([text, secret]) => ({ name: text, text, secrets: [secret] })),
  ...Object.entries(PERSONAL).map(([name, text]) => ({ name, text, secrets: [text] })),
  { name: "a pattern of the host", text: "CN-20261121", secrets: ["CN-20261121"] },
  { name: "a function of the host", text: "Kanari", secrets: ["Kanari"] },
];

/** What instrumentations really wrote, as OTLP/JSON, one file each. */
const folder = join(import.meta.dirname, "normalize/dialects/fixtures");
const files = existsSync(folder) ? globSync("*.json", { cwd: folder }).sort() : [];
const traces: [name: string, spans: SpanRecord[]][] = [
  ["a sample execution", sampleTrace()],
  ...files.map((file): [string, SpanRecord[]] => [
    basename(file, ".json"),
    decodeOtlp(JSON.parse(readFileSync(join(folder, file), "utf8"))).spans,
  ]),
];

describe("every field of a span of every kind", () => {
  test.each(canaries)("$name", ({ text, secrets }) => {
    const record = fullRecord(text);
    for (const kind of SPAN_KINDS) expectNone(pipeline.clean({ ...record, kind }), secrets);
  });
});

describe.each(traces)("every value that %s has", (_name, spans) => {
  test.each(canaries)("$name", ({ text, secrets }) => {
    expect(spans.length).toBeGreaterThan(0);
    for (const span of spans) {
      // In everything; then only in what people wrote, so that the dialect knows its own words.
      for (const suits of [() => true, (value: string) => !/^[\w.:-]{0,40}$/.test(value)]) {
        const record = pipeline.clean(planted(span, text, suits));
        expectNone(record, secrets);
        expect(pipeline.clean(record)).toEqual(record);
      }
    }
  });
});

/** Fields whose texts are of fixed sets; the rest is open to anything. */
const FIXED = new Set([
  "kind",
  "otelKind",
  "executionStatus",
  "status",
  "syntheticEnd",
  "format",
  "state",
  "type",
]);
const IDENTITY = new Set([
  "traceId",
  "spanId",
  "parentSpanId",
  "startTime",
  "endTime",
  "firstTokenTime",
  "time",
]);

function planted(span: SpanRecord, text: string, suits: (value: string) => boolean): SpanRecord {
  const plant = (value: JsonValue | undefined, key: string): JsonValue => {
    if (typeof value === "string") return suits(value) ? inText(value, text, plant) : value;
    if (Array.isArray(value)) return value.map((item) => plant(item, key));
    if (typeof value !== "object" || value === null) return value ?? null;
    const entries = Object.entries(value).map(([name, member]): [string, JsonValue] => [
      name,
      FIXED.has(name) || IDENTITY.has(name) ? member : plant(member, name),
    ]);
    return Object.fromEntries(entries);
  };
  return plant(JSON.parse(JSON.stringify(span)), "") as JsonValue & SpanRecord;
}

/** Also inside JSON text, where it is escaped as its writer would. */
function inText(value: string, text: string, plant: (value: JsonValue, key: string) => JsonValue): string {
  if (/^\s*[[{]/.test(value)) {
    try {
      return JSON.stringify(plant(JSON.parse(value), ""));
    } catch {
      // No JSON after all.
    }
  }
  return `${value} ${text}`;
}

/** Says where a secret was found. */
function expectNone(record: SpanRecord, secrets: readonly string[]): void {
  if (!secrets.some((secret) => JSON.stringify(record).includes(secret))) return;
  const found: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (typeof value === "string") {
      if (secrets.some((secret) => value.includes(secret))) found.push(`${path}: ${value}`);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        look(key, `${path} (key)`);
        look(member, `${path}.${key}`);
      }
    }
  };
  look(record, record.name);
  expect(found).toEqual([]);
}
