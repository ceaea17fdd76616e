import type { PruneReport, PruneRequest, StoreCapabilities, TraceStore } from "@spanloom/model";
import { checkPrune, checkScope, storeClosed } from "../check-arguments.ts";
import { type KeepRetentionOptions, keepRetention } from "../retention.ts";
import { BackedScope } from "./backed-scope.ts";
import type { Backing } from "./backing.ts";
import type { BackedState } from "./scope-core.ts";

export interface BackedStoreOptions extends Pick<KeepRetentionOptions, "retention" | "onProblem"> {
  /** The adapter's name, e.g. `clickhouse`. */
  name: string;
  capabilities: StoreCapabilities;
  /** Called once a scope, before anything is asked of it. */
  backing(scope: string): Backing;
  /** The names of all scopes that are kept. */
  scopes(): Promise<string[]>;
  /** Lets go of files and connections, after the last call is done. */
  close(): Promise<void>;
}

/** A store that only has to say where rows are kept: merging, names, sums and feeds are the ledger's. */
export function createBackedStore(options: BackedStoreOptions): TraceStore {
  const { name, capabilities } = options;
  const state: BackedState = { name, capabilities, closed: false };
  const scopes = new Map<string, BackedScope>();
  let closing: Promise<void> | undefined;

  const forScope = (scope: string): BackedScope => {
    if (state.closed) throw storeClosed(name);
    const checked = checkScope(scope);
    let scoped = scopes.get(checked);
    if (scoped === undefined) {
      scoped = new BackedScope(checked, options.backing(checked), state);
      scopes.set(checked, scoped);
    }
    return scoped;
  };

  const prune = async (request: PruneRequest): Promise<PruneReport> => {
    if (state.closed) throw storeClosed(name);
    const { limit, ...times } = checkPrune(request);
    const report: PruneReport = { executions: 0, spans: 0, more: false };
    const failures: unknown[] = [];
    for (const scope of await options.scopes()) {
      const room = limit - report.executions;
      if (room <= 0) return { ...report, more: true };
      try {
        const { executions, spans, more } = await forScope(scope).prune({ ...times, limit: room });
        report.executions += executions;
        report.spans += spans;
        report.more ||= more;
      } catch (error) {
        // The others are not to grow for ever because of this one.
        failures.push(error);
      }
    }
    // Where there is more to do, it comes up again with the last step.
    if (failures.length > 0 && !report.more) throw failures[0];
    return report;
  };

  const retention = keepRetention({ ...options, prune });
  return {
    name,
    capabilities,
    forScope,
    prune,
    close: () => {
      closing ??= (async () => {
        state.closed = true;
        await retention.stop();
        for (const scoped of scopes.values()) await scoped.close();
        await options.close();
      })();
      return closing;
    },
  };
}
