import { SpanloomError } from "@spanloom/model";
import type { WorkflowTracerOptions } from "./create-workflow-tracer.ts";

const MOST = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  flushIntervalMs: 2 ** 31 - 1,
  writeTimeoutMs: 2 ** 31 - 1,
};

/** What a timer or a bound cannot be would go unnoticed until spans are lost: NaN bounds nothing. */
export function checkTimes({ queue = {}, spanTimeoutMs }: WorkflowTracerOptions): void {
  for (const name of Object.keys(MOST) as (keyof typeof MOST)[])
    check(`queue.${name}`, queue[name], MOST[name]);
  check("spanTimeoutMs", spanTimeoutMs, Number.POSITIVE_INFINITY);
}

function check(name: string, value: unknown, most: number): void {
  if (value === undefined || (typeof value === "number" && value > 0 && value <= most)) return;
  throw new SpanloomError("invalid_argument", {
    what: `The option ${name} cannot be ${String(value)}.`,
    why: `It must be a number above 0, at most ${most}.`,
    fix: "Correct it, or leave it out for the default.",
  });
}
