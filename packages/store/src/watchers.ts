/** Who wants to hear of commits to which execution of a scope. */
export interface Watchers {
  add(executionId: string, wake: () => void): () => void;
  wake(executionIds: readonly string[]): void;
}

export function createWatchers(): Watchers {
  const watchers = new Map<string, Set<() => void>>();
  return {
    add: (executionId, wake) => {
      const own = watchers.get(executionId) ?? new Set();
      watchers.set(executionId, own);
      // A function of our own, so that the same `wake` may watch twice.
      const watcher = (): void => wake();
      own.add(watcher);
      return () => {
        own.delete(watcher);
        if (own.size === 0 && watchers.get(executionId) === own) watchers.delete(executionId);
      };
    },
    wake: (executionIds) => {
      if (watchers.size === 0) return;
      for (const id of executionIds) {
        for (const watcher of watchers.get(id) ?? []) queueMicrotask(() => quietly(watcher));
      }
    },
  };
}

/** A watcher's failure is its own: it must not reach the writer. */
function quietly(wake: () => void): void {
  try {
    wake();
  } catch {
    // Nobody to tell.
  }
}
