import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  addUsage,
  bearsBelow,
  contributionOf,
  emptyUsageSum,
  type SpanRecord,
  spanKey,
  TOKEN_FIELDS,
  type TokenUsage,
} from "@spanloom/model";
import { decodeOtlp } from "@spanloom/model/otlp";
import { createNormalizer } from "../registry.ts";

const DIRECTORY = join(import.meta.dirname, "fixtures");

/** What `integrations/capture` took from the real packages. */
export const FIXTURES: readonly string[] = readdirSync(DIRECTORY).map((file) => file.replace(/\.json$/, ""));

/** The spans of a fixture as they came. */
export function rawFixture(name: string): SpanRecord[] {
  const { spans, rejected } = decodeOtlp(JSON.parse(readFileSync(join(DIRECTORY, `${name}.json`), "utf8")));
  if (rejected.length > 0) throw new Error(`The fixture ${name} holds spans that cannot be read.`);
  return spans;
}

/** The spans of a fixture, normalised, in the order of their starts. */
export function readFixture(name: string): SpanRecord[] {
  const normalize = createNormalizer();
  return rawFixture(name)
    .map(normalize)
    .sort((a, b) => (BigInt(a.startTime) < BigInt(b.startTime) ? -1 : 1));
}

/** The spans of this name. */
export function named(spans: readonly SpanRecord[], name: string): SpanRecord[] {
  return spans.filter((span) => span.name === name);
}

/** The tokens of all spans, each counted once. */
export function countedOnce(spans: readonly SpanRecord[]): TokenUsage {
  const below = bearsBelow(spans);
  const sum = emptyUsageSum();
  for (const span of spans) {
    const counts = contributionOf(span, below.get(spanKey(span)) ?? 0);
    if (counts?.usage !== undefined) addUsage(sum, counts.usage);
  }
  return Object.fromEntries(
    TOKEN_FIELDS.flatMap((field) => (sum[field] === undefined ? [] : [[field, sum[field]]])),
  );
}
