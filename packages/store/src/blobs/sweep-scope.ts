import { type ScopedStore, spanKey } from "@spanloom/model";
import { refsOf } from "./record-blobs.ts";
import type { FoundBlob, ScopeBlobs } from "./scope-blobs.ts";

export interface SweepReport {
  /** Blobs that were removed. */
  blobs: number;
}

/** A blob this young may belong to a write under way, which puts it first and its record then. */
const YOUNG_MS = 86_400_000;

/** Removes the blobs of a scope that no record refers to. */
export async function sweepScope(store: ScopedStore, blobs: ScopeBlobs): Promise<SweepReport> {
  const before = Date.now() - YOUNG_MS;
  const report: SweepReport = { blobs: 0 };
  const remove = async ({ key }: FoundBlob): Promise<void> => {
    await blobs.delete(key);
    report.blobs++;
  };
  /** Traces with old blobs, and what is known of them. */
  const traces = new Map<string, Swept>();
  for await (const { traceId, putAtMs } of blobs.list()) {
    if (putAtMs < before && !traces.has(traceId))
      traces.set(traceId, { executionIds: [], strangers: undefined });
  }
  if (traces.size === 0) return report;

  // Twice, because a late name may move spans to another execution while the list is read.
  for (let pass = 0; pass < 2; pass++) {
    for await (const { executionId, traceIds } of executionsOf(store)) {
      const concerned = traceIds.filter(
        (traceId) => traces.get(traceId)?.executionIds.includes(executionId) === false,
      );
      if (concerned.length === 0) continue;
      const refs = await refsIn(store, executionId);
      for (const traceId of concerned) {
        const swept = traces.get(traceId);
        if (swept === undefined) continue;
        swept.executionIds.push(executionId);
        const strangers = new Set<string>();
        for await (const blob of blobs.list(traceId)) {
          const used = refs.get(spanKey(blob));
          if (used === undefined) strangers.add(blob.spanId);
          else if (blob.putAtMs < before && !used.has(blob.hash)) await remove(blob);
        }
        const known = swept.strangers;
        swept.strangers =
          known === undefined ? strangers : new Set([...known].filter((id) => strangers.has(id)));
      }
    }
  }
  for (const [traceId, { executionIds, strangers }] of traces) {
    for await (const blob of blobs.list(traceId)) {
      const orphan = executionIds.length === 0 || strangers?.has(blob.spanId) === true;
      if (!orphan || blob.putAtMs >= before) continue;
      if (!(await isThere(store, executionIds, blob))) await remove(blob);
    }
  }
  return report;
}

interface Swept {
  /** Executions that have spans in it. */
  executionIds: string[];
  /** Spans that have blobs and were in none of these executions. */
  strangers: Set<string> | undefined;
}

async function* executionsOf(
  store: ScopedStore,
): AsyncGenerator<{ executionId: string; traceIds: readonly string[] }, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await store.listExecutions({ limit: 500, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** What each span of the execution refers to. */
async function refsIn(store: ScopedStore, executionId: string): Promise<Map<string, Set<string>>> {
  const refs = new Map<string, Set<string>>();
  let cursor: string | undefined;
  do {
    const page = await store.getTrace(executionId, { view: "full", ...(cursor !== undefined && { cursor }) });
    for (const span of page?.spans ?? []) refs.set(spanKey(span), new Set(refsOf(span)));
    cursor = page?.nextCursor;
  } while (cursor !== undefined);
  return refs;
}

async function isThere(
  store: ScopedStore,
  executionIds: readonly string[],
  { spanId, traceId }: FoundBlob,
): Promise<boolean> {
  for (const executionId of executionIds) {
    if ((await store.getSpan(executionId, spanId, traceId)) !== undefined) return true;
  }
  return false;
}
