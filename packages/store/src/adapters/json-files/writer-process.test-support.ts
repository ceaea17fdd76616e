// One of several processes that write to one folder: node writer-process.test-support.ts <folder> <number>
import type { SpanRecord } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { createJsonFilesStore } from "../json-files.ts";

/** What process `number` writes: 26 executions of its own with 1,000 spans, and its part of one that all write together. */
export function batchesOf(number: number): SpanRecord[][] {
  const batches: SpanRecord[][] = [];
  for (let run = 0; run < 26; run++) {
    const name = `${number}-${run}`;
    const own = makeTrace({ spans: 1_000, seed: number * 100 + run });
    const spans = own.map((span) => ({
      ...span,
      executionId: `run-${name}`,
      traceId: traceId(1 + number * 100 + run),
    }));
    batches.push(spans.slice(0, 500), spans.slice(500));
  }
  // A thousand spans each, every span written by two processes.
  const shared = makeTrace({ spans: 4_000, seed: 7 }).map((span) => ({
    ...span,
    executionId: "run-shared",
    traceId: traceId(0),
  }));
  for (let at = 0; at < 2_000; at += 250) {
    const from = (number * 1_000 + at) % 4_000;
    batches.splice(at / 50, 0, shared.slice(from, from + 250));
  }
  return batches;
}

function traceId(number: number): string {
  return (number + 1).toString(16).padStart(32, "0");
}

if (process.argv[1] === import.meta.filename) {
  const [folder = "", number] = process.argv.slice(2);
  const store = createJsonFilesStore({ folder, retention: false });
  const scope = store.forScope("scope");
  for (const batch of batchesOf(Number(number))) await scope.write(batch);
  await store.close();
}
