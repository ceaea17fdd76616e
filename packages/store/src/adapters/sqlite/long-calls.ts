import { setTimeout } from "node:timers/promises";
import {
  type Analytics,
  type AnalyticsQuery,
  isUnixNanos,
  type PruneReport,
  type PruneRequest,
  SpanloomError,
  type UnixNanos,
} from "@spanloom/model";
import { checkWhole } from "../../check-arguments.ts";
import type { EngineClient } from "./engine-client.ts";
import type { PrunePosition, PruneStep } from "./prune.ts";

/**
 * Work of many steps. Between them the engine serves whoever else asks, and half the time that a step took is left to
 * writers in other processes: they ask for the file's lock only now and then.
 */
async function inSteps(step: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const started = performance.now();
    if (!(await step())) return;
    await setTimeout(Math.min(MOST_PAUSE_MS, (performance.now() - started) / 2));
  }
}

const MOST_PAUSE_MS = 50;

export async function getAnalytics(
  call: EngineClient["call"],
  scope: string,
  query: AnalyticsQuery,
): Promise<Analytics> {
  let answer: Analytics | undefined;
  await inSteps(async () => {
    answer = await call("getAnalytics", scope, query);
    return answer === undefined;
  });
  return answer as Analytics;
}

/** @param gone Hears of executions as they go. */
export async function prune(
  call: EngineClient["call"],
  scopes: readonly string[],
  request: PruneRequest,
  gone: (scope: string, executionIds: readonly string[]) => void,
): Promise<PruneReport> {
  const before = checkTime(request.before, "before");
  const sumsBefore =
    request.sumsBefore === undefined ? undefined : checkTime(request.sumsBefore, "sumsBefore");
  const limit = checkWhole(request.limit, "limit", { least: 1, most: 10_000, fallback: 200 });
  const report: PruneReport = { executions: 0, spans: 0, more: false };
  for (const scope of scopes) {
    let after: PrunePosition | undefined;
    await inSteps(async () => {
      const step: PruneStep = await call("prune", scope, {
        before,
        limit: Math.max(0, limit - report.executions),
        ...(after !== undefined && { after }),
      });
      report.executions += step.removed.length;
      report.spans += step.spans;
      report.more ||= step.more;
      gone(scope, step.removed);
      after = step.position;
      return after !== undefined;
    });
    if (sumsBefore !== undefined) await inSteps(() => call("dropSums", scope, sumsBefore));
  }
  let swept = false;
  await inSteps(async () => {
    const more = await call("sweep");
    swept ||= more;
    return more;
  });
  // Nothing that was removed may be read in the log either.
  if (report.executions > 0 || swept) await call("emptyLog");
  return report;
}

function checkTime(value: unknown, name: string): UnixNanos {
  if (isUnixNanos(value)) return value;
  throw new SpanloomError("invalid_argument", {
    what: `The argument ${name} of prune cannot be used.`,
    why: "It must be Unix nanoseconds as a decimal string.",
    fix: "Correct it.",
  });
}
