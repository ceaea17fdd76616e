// How much content a second the pipeline reads for secrets: what it does to each prompt, answer, argument and result.
import type { Content, JsonValue, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { createPipeline } from "@spanloom/pipeline";
import { type BenchBudget, type BenchCase, summarize } from "../bench.ts";
import { codeText, jsonRows, proseText } from "./texts.ts";

const SIZES = { M: 4_000, L: 100_000 };
const LEAST_MB = 50;
const VARIANTS = 20;
const ROUND_MS = 200;

const kinds: Record<string, (bytes: number, seed: number) => Content> = {
  prose: (bytes, seed) => text(proseText(bytes, seed)),
  code: (bytes, seed) => text(codeText(bytes, seed)),
  "JSON results": (bytes, seed) => ({
    format: "json",
    state: "captured",
    json: jsonRows(bytes, seed) as JsonValue,
  }),
  "JSON results as text": (bytes, seed) => text(JSON.stringify(jsonRows(bytes, seed))),
};

/** Everything that cleaning does with content: normalising, every rule, the hash. Prices are another stage. */
export async function redactionThroughput(
  rounds: number,
): Promise<{ cases: BenchCase[]; budgets: BenchBudget[] }> {
  const pipeline = createPipeline({ pricing: false });
  const works = Object.entries(SIZES).flatMap(([payload, bytes]) =>
    Object.entries(kinds).map(([kind, make]) => {
      const spans = Array.from({ length: VARIANTS }, (_, seed) =>
        makeSpan({ kind: "tool", output: make(bytes, seed) }),
      );
      return { name: `redaction, ${kind}, ${payload}`, spans, bytes: sizeOf(spans), rates: [] as number[] };
    }),
  );
  for (let round = 0; round < rounds + 1; round++) {
    for (const { spans, bytes, rates } of works) {
      let read = 0;
      const before = process.threadCpuUsage();
      const end = performance.now() + ROUND_MS;
      while (performance.now() < end) {
        for (const span of spans) pipeline.clean(span);
        read += bytes;
      }
      const { user, system } = process.threadCpuUsage(before);
      if (round > 0) rates.push(read / (user + system));
    }
  }
  const cases = works.map(({ name, rates }) => summarize(name, "MB/s", rates));
  const budgets = cases.map(({ name, median }) => ({
    what: name,
    limit: `>= ${LEAST_MB} MB/s`,
    value: `${median.toFixed(0)} MB/s`,
    ok: median >= LEAST_MB,
  }));
  return { cases, budgets };
}

function text(value: string): Content {
  return { format: "text", state: "captured", text: value };
}

function sizeOf(spans: readonly SpanRecord[]): number {
  return spans.reduce((sum, { output }) => sum + Buffer.byteLength(said(output)), 0);
}

function said(content: Content | undefined): string {
  if (content?.format === "text") return content.text ?? "";
  return content?.format === "json" ? JSON.stringify(content.json) : "";
}
