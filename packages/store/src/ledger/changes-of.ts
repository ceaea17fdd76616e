import { type SpanRecord, type TraceChanges, toSkeleton } from "@spanloom/model";
import { createPageRoom } from "../page-room.ts";
import { summaryOf } from "./answers.ts";
import type { FeedEntry } from "./feed.ts";
import type { ScopeCore } from "./scope-core.ts";

/** What changed in an execution after a commit, oldest first, as far as one answer may hold. */
export async function changesOf(
  core: ScopeCore,
  executionId: string,
  since: number,
  limit: number,
): Promise<TraceChanges | undefined> {
  const begun = await core.alone(async () => {
    await core.hold({ traceIds: [], executionIds: [executionId] });
    const execution = core.ledger.execution(executionId);
    if (execution === undefined) return undefined;
    // An execution that vanished or was deleted still tells those who followed it what went away.
    if (execution.spanCount === 0 && (since === 0 || since >= execution.seq)) return undefined;
    const entries: { entry: FeedEntry; seq: number; gone: boolean }[] = [];
    for (const entry of execution.feed.since(since)) {
      entries.push({ entry, seq: entry.seq, gone: entry.span === undefined });
      if (entries.length > limit) break;
    }
    return { entries, execution: summaryOf(execution) };
  });
  if (begun === undefined) return undefined;
  const { entries, execution } = begun;
  const shown = entries.slice(0, limit);
  const refs = shown.filter(({ gone }) => !gone).map(({ entry }) => entry);
  const texts = (await core.read(executionId, refs, "skeleton")).values();
  const more = entries.length > limit;
  const changes: TraceChanges = { execution, spans: [], removed: [], seq: since, more };
  const fits = createPageRoom();
  for (const { entry, seq: at, gone } of shown) {
    const json = gone ? undefined : texts.next().value;
    if (gone) changes.removed.push({ traceId: entry.traceId, spanId: entry.spanId });
    else if (json !== undefined) {
      if (!fits(json.length)) {
        changes.more = true;
        break;
      }
      changes.spans.push(toSkeleton(JSON.parse(json) as SpanRecord));
    }
    changes.seq = at;
  }
  if (!changes.more) changes.seq = execution.seq;
  return changes;
}
