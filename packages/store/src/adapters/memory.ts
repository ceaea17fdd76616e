import type { SpanloomError, StoreCapabilities, TraceStore } from "@spanloom/model";
import { createBackedStore } from "../ledger/backed-store.ts";
import { MemoryBacking } from "../memory/memory-backing.ts";
import type { RetentionOptions } from "../retention.ts";

const CAPABILITIES: StoreCapabilities = {
  durability: "memory",
  concurrentWriters: false,
  crossProcessReads: false,
  erasure: "immediate",
  provenSpansPerExecution: 100_000,
};

export interface MemoryStoreOptions {
  /** Nothing is dropped where absent, since all of it goes with the process anyway. */
  retention?: RetentionOptions | false;
  /** Gets what went wrong while old executions were removed; `console.warn` where absent. */
  onProblem?: (problem: SpanloomError) => void;
}

/**
 * Keeps everything in this process and forgets it with the process: for tests, demos and short-lived tools. It grows with
 * what is written; nothing is dropped but by `deleteExecution` and `prune`, or by a retention that is asked for.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): TraceStore {
  const scopes = new Map<string, MemoryBacking>();
  return createBackedStore({
    name: "memory",
    capabilities: CAPABILITIES,
    retention: options.retention ?? false,
    ...(options.onProblem && { onProblem: options.onProblem }),
    backing(scope) {
      const backing = new MemoryBacking();
      scopes.set(scope, backing);
      return backing;
    },
    scopes: async () => [...scopes.keys()],
    close: async () => scopes.clear(),
  });
}
