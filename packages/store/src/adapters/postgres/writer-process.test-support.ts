// One of several processes that write one execution: node writer-process.test-support.ts <url> <first> <count>
import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { createPostgresStore } from "../postgres.ts";

/** Span `number` of an execution that all processes write together, each below the one before it. */
export function sharedSpan(number: number): SpanRecord {
  const id = (value: number): string => (value + 1).toString(16).padStart(16, "0");
  return makeSpan({
    traceId: "a".repeat(32),
    spanId: id(number),
    ...(number > 0 && { parentSpanId: id(Math.floor((number - 1) / 2)) }),
    executionId: "shared",
    kind: number === 0 ? "workflow" : "llm",
    nodeId: `node-${number % 3}`,
    ...(number > 0 && {
      usage: { input: number, output: 1 },
      cost: { nanoUsd: number * 1000, source: "reported" as const },
    }),
    startTime: `${1795167000000000000n + BigInt(number) * 1000000n}`,
  });
}

if (process.argv[1] === import.meta.filename) {
  const [url = "", first, count] = process.argv.slice(2);
  const store = createPostgresStore({ connectionString: url, retention: false });
  const scope = store.forScope("scope");
  for (let number = Number(first); number < Number(first) + Number(count); number += 5) {
    await scope.write(Array.from({ length: 5 }, (_, index) => sharedSpan(number + index)));
    // Only what was said here was promised.
    console.log(number);
  }
  await store.close();
}
