import { SpanloomError } from "@spanloom/model";
import type { WorkflowTracerOptions } from "./create-workflow-tracer.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a timer, a bound or a share cannot be would go unnoticed until spans are lost: NaN bounds nothing. */
export function checkOptions({ queue = {}, spanTimeoutMs, sampling }: WorkflowTracerOptions): void {
  check("queue.maxBytes", queue.maxBytes, 1, Number.MAX_SAFE_INTEGER);
  check("queue.flushIntervalMs", queue.flushIntervalMs, 1, MAX_TIMER_MS);
  check("queue.writeTimeoutMs", queue.writeTimeoutMs, 1, MAX_TIMER_MS);
  check("spanTimeoutMs", spanTimeoutMs, 1, Number.POSITIVE_INFINITY);
  if (sampling !== undefined) check("sampling.keepDetail", sampling.keepDetail ?? null, 0, 1);
}

function check(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined || (typeof value === "number" && value >= least && value <= most)) return;
  throw new SpanloomError("invalid_argument", {
    what: `The option ${name} cannot be ${String(value)}.`,
    why: `It must be a number from ${least} to ${most}.`,
    fix: "Correct it, or leave it out for the default.",
  });
}
