import { compareNanos, type PruneReport, type PruneRequest, type UnixNanos } from "@spanloom/model";
import type { HeldExecution } from "./held-execution.ts";
import type { ScopeCore } from "./scope-core.ts";

/** One step of retention, inside a call that changes. The line is drawn before anything goes. */
export async function pruneScope(
  core: ScopeCore,
  { before, sumsBefore, limit }: PruneRequest & { limit: number },
): Promise<PruneReport> {
  const { ledger, backing } = core;
  await core.hold({ traceIds: [], executionIds: [] });
  if (ledger.watermark === undefined || compareNanos(before, ledger.watermark) > 0) {
    await backing.setWatermark(before);
    ledger.watermark = before;
  }
  const report: PruneReport = { executions: 0, spans: 0, more: false };
  await pruneOld(core, before, limit, report);
  if (sumsBefore !== undefined) await backing.dropSums(sumsBefore);
  if (report.spans > 0) await backing.erase?.(new Set());
  return report;
}

/** Prunes components, oldest first. Some are held by a member that is still active: then others are asked for. */
async function pruneOld(
  core: ScopeCore,
  before: UnixNanos,
  limit: number,
  report: PruneReport,
): Promise<void> {
  const { ledger, backing } = core;
  const kept = new Set<string>();
  for (;;) {
    // One more than may go tells whether there are others.
    const wanted = kept.size + limit + 1;
    const found = await backing.oldExecutions(before, wanted);
    const old = found.filter((id) => !kept.has(id));
    for (const executionId of old) {
      const one = { traceIds: [], executionIds: [executionId] };
      await core.hold(one);
      const component = ledger.component(one);
      const members = component.executionIds.flatMap((id) => ledger.execution(id) ?? []);
      // It went with another one.
      if (members.length === 0) continue;
      if (members.some((member) => isActive(member, before))) {
        kept.add(executionId);
        continue;
      }
      if (report.executions >= limit) {
        report.more = true;
        return;
      }
      const count = members.filter((member) => member.spanCount > 0).length;
      const changes = ledger.prune(component);
      await core.save(changes);
      report.executions += count;
      report.spans += changes.removed.length;
    }
    if (found.length < wanted) return;
  }
}

function isActive(execution: HeldExecution, before: UnixNanos): boolean {
  const last = execution.lastActivity();
  return last !== undefined && compareNanos(last, before) >= 0;
}
