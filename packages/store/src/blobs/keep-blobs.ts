import type { BlobStore, PruneReport, PruneRequest, SpanloomError, TraceStore } from "@spanloom/model";
import { checkWhole } from "../check-arguments.ts";
import { keepRetention, type RetentionOptions } from "../retention.ts";
import { createGate } from "./gate.ts";
import { ScopeBlobs, scopesWithBlobs } from "./scope-blobs.ts";
import { ScopeWithBlobs } from "./scope-with-blobs.ts";
import { type SweepReport, sweepScope } from "./sweep-scope.ts";

export interface KeepBlobsOptions {
  /** Where large payloads go: `createFolderBlobs` of `@spanloom/store/folder-blobs`, or a host's object store. */
  blobs: BlobStore;
  /** Contents (input, output, states) of more characters than this leave the record: 65,536 where absent. */
  over?: number;
  /**
   * Retention of the store and its blobs together, as stores have it: open the store itself with `retention: false`, for
   * what it prunes by itself leaves its blobs to the next sweep. `false` keeps everything.
   */
  retention?: RetentionOptions | false;
  /** Gets what retention and sweeps could not do. */
  onProblem?: (problem: SpanloomError) => void;
}

/** What {@link keepBlobs} gives. */
export interface BlobKeepingStore extends TraceStore {
  /**
   * Removes blobs that nothing refers to: of states that newer ones replaced, of writes that were refused or broke off, of
   * what the store pruned by itself. Only what was put more than a day ago: it may belong to a write under way. Retention
   * does it an hour after the start, and then once a day.
   */
  sweep(): Promise<SweepReport>;
}

const DEFAULT_OVER = 65_536;
/** Hosts that start anew every day sweep, too. */
const FIRST_SWEEP_MS = 3_600_000;
const SWEEP_EVERY_MS = 86_400_000;

/**
 * The same store, but for large payloads: they are written to a blob store before their record, which holds a reference
 * then. Readers get them back as they were; a blob that is not there any more shows as content in the state `missing`,
 * with the reason. `deleteExecution`, `prune` and `redact` reach blobs, too.
 *
 * Everything must go through the store that this gives. Throws `invalid_argument` for an `over` that cannot be.
 */
export function keepBlobs(store: TraceStore, options: KeepBlobsOptions): BlobKeepingStore {
  const { blobs } = options;
  const over = checkWhole(options.over, "over", { fallback: DEFAULT_OVER });
  const scopes = new Map<string, ScopeWithBlobs>();
  const gate = createGate(store.name);
  let sweepAtMs = Date.now() + FIRST_SWEEP_MS;

  function forScope(scope: string): ScopeWithBlobs {
    const inner = store.forScope(scope);
    let scoped = scopes.get(scope);
    if (scoped === undefined) {
      scoped = new ScopeWithBlobs(inner, new ScopeBlobs(blobs, scope), over, gate);
      scopes.set(scope, scoped);
    }
    return scoped;
  }

  /** Scopes that have blobs first, each with its blobs; then whatever else the store has. */
  async function prune(request: PruneRequest): Promise<PruneReport> {
    const limit = checkWhole(request.limit, "limit", { least: 1, most: 10_000, fallback: 200 });
    const report: PruneReport = { executions: 0, spans: 0, more: false };
    const add = ({ executions, spans, more }: PruneReport): boolean => {
      report.executions += executions;
      report.spans += spans;
      report.more = more || report.executions >= limit;
      return report.more;
    };
    for (const scope of await scopesWithBlobs(blobs)) {
      if (add(await forScope(scope).prune({ ...request, limit: limit - report.executions }))) return report;
    }
    add(await store.prune({ ...request, limit: limit - report.executions }));
    return report;
  }

  async function sweep(): Promise<SweepReport> {
    const report: SweepReport = { blobs: 0 };
    for (const scope of await scopesWithBlobs(blobs)) {
      report.blobs += (await sweepScope(store.forScope(scope), new ScopeBlobs(blobs, scope))).blobs;
    }
    return report;
  }

  const retention = keepRetention({
    retention: options.retention,
    ...(options.onProblem !== undefined && { onProblem: options.onProblem }),
    async prune(request) {
      const report = await prune(request);
      if (!report.more && Date.now() >= sweepAtMs) {
        sweepAtMs = Date.now() + SWEEP_EVERY_MS;
        await sweep();
      }
      return report;
    },
  });

  return {
    name: store.name,
    capabilities: store.capabilities,
    forScope,
    prune,
    sweep,
    async close() {
      await Promise.all([retention.stop(), gate.close()]);
      await store.close();
    },
  };
}
