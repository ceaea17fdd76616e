import { isUnixNanos, type PruneReport, type PruneRequest, type ScopedStore } from "@spanloom/model";
import { checkWhole } from "../check-arguments.ts";
import type { ScopeBlobs } from "./scope-blobs.ts";

/**
 * Prunes a scope and the blobs of what went. A store does not say which executions it removed, so it is asked to go no
 * further than a list of them does that is looked through again afterwards: what was last active before a time has also
 * started before it. Executions that share a trace leave together, so a trace's blobs leave as one.
 */
export async function pruneWithBlobs(
  inner: ScopedStore,
  blobs: ScopeBlobs,
  request: PruneRequest,
): Promise<PruneReport> {
  // The store itself refuses what it cannot use.
  if (!isUnixNanos(request.before)) return inner.prune(request);
  const limit = checkWhole(request.limit, "limit", { least: 1, most: 10_000, fallback: 200 });
  const report: PruneReport = { executions: 0, spans: 0, more: false };
  /** Started so early that they may go, with their traces. */
  const may = new Map<string, readonly string[]>();
  let cursor: string | undefined;
  do {
    const page = await inner.listExecutions({
      to: request.before,
      sort: { by: "startTime", direction: "asc" },
      limit: 500,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { executionId, traceIds } of page.items) may.set(executionId, traceIds);
    cursor = page.nextCursor;
    const reach = cursor === undefined ? request.before : (page.items.at(-1)?.startTime ?? request.before);
    for (let more = true; more; ) {
      const step = await inner.prune({ ...request, before: reach, limit: limit - report.executions });
      report.executions += step.executions;
      report.spans += step.spans;
      if (step.executions > 0) await forget(inner, blobs, may, step.executions);
      more = step.more && step.executions > 0;
      if (report.executions >= limit) return { ...report, more: step.more || cursor !== undefined };
    }
  } while (cursor !== undefined);
  return report;
}

async function forget(
  inner: ScopedStore,
  blobs: ScopeBlobs,
  may: Map<string, readonly string[]>,
  pruned: number,
): Promise<void> {
  const gone: string[] = [];
  const ids = [...may.keys()];
  for (let from = 0; from < ids.length; from += 500) {
    const asked = ids.slice(from, from + 500);
    const there = new Set((await inner.getExecutions(asked)).map(({ executionId }) => executionId));
    gone.push(...asked.filter((id) => !there.has(id)));
  }
  // An execution also vanishes when its trace gets another name just now: then the next sweep sees to what was pruned.
  const onlyPruned = gone.length <= pruned;
  for (const id of gone) {
    for (const traceId of onlyPruned ? (may.get(id) ?? []) : []) await blobs.deleteTrace(traceId);
    may.delete(id);
  }
}
