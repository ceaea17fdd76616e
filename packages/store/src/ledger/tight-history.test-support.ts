import { SPAN_KINDS, type SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { createRandom, type Random } from "../testing/random.ts";
import type { RandomHistory } from "../testing/random-history.ts";

const TRACES = ["a".repeat(32), "b".repeat(32)];
const EXECUTIONS = ["run-0", "run-1", "run-2"];

/**
 * Few spans that are changed again and again: parents in circles, usage that comes and goes, spans that wander between
 * executions and lose their names. Rare in real life, and where sums kept by differences go wrong.
 */
export function tightHistory(seed: number): RandomHistory {
  const random = createRandom(seed + 3_000_000);
  const traces = TRACES.slice(0, 1 + random.int(2));
  const spans = 2 + random.int(4);
  const batches = Array.from({ length: 4 + random.int(10) }, (_, batch) =>
    Array.from({ length: 1 + random.int(4) }, (_, index) =>
      recordOf(random, random.pick(traces), random.int(spans), spans, batch * 4 + index),
    ),
  );
  return { batches, executionIds: [...EXECUTIONS, ...traces] };
}

function recordOf(
  random: Random,
  traceId: string,
  number: number,
  spans: number,
  revision: number,
): SpanRecord {
  const start = 1_774_483_200 + random.int(4) * 900;
  const parent = random.pick([undefined, ...Array.from({ length: spans + 1 }, (_, other) => other)]);
  return makeSpan({
    traceId,
    spanId: spanIdOf(number),
    parentSpanId: parent === undefined ? undefined : spanIdOf(parent),
    executionId: random.chance(0.4) ? traceId : random.pick(EXECUTIONS),
    name: `state ${revision}`,
    revision,
    kind: random.pick(SPAN_KINDS),
    startTime: `${start}00000000${random.int(3)}`,
    endTime: random.chance(0.85) ? `${start + random.int(4)}000000007` : undefined,
    status: { code: random.pick(["ok", "error"] as const) },
    nodeId: random.pick([undefined, "n", "n", "m"]),
    nodeType: random.pick([undefined, "agent", "tool"]),
    attempt: random.pick([undefined, 1, 2, 3]),
    executionStatus: random.pick([undefined, undefined, undefined, "completed", "waiting"] as const),
    workflowId: random.pick([undefined, "w-0", "w-1"]),
    usage: random.chance(0.5) ? { input: random.int(3) } : undefined,
    cost: random.chance(0.4) ? { nanoUsd: random.int(3), source: "computed" } : undefined,
    model: random.pick([undefined, "m-0", "m-1"]),
  });
}

function spanIdOf(number: number): string {
  return (number + 1).toString(16).padStart(16, "0");
}
