import { createWatchers, type Watchers } from "../../watchers.ts";
import { createListener, type Listener } from "./listener.ts";
import type { Opening } from "./opening.ts";

/** Who wants to hear of commits, in this process and, while somebody does, from others. */
export interface Watching {
  add(scope: string, executionId: string, wake: () => void): () => void;
  wake(scope: string, executionIds: readonly string[]): void;
  stop(): void;
}

/** @param origin Tells this store's own notices from those of others, of which it hears nothing where absent. */
export function createWatching(opening: Opening, origin: string | undefined): Watching {
  const watchers: Watchers = createWatchers();
  /** How many watch an execution, by scope. */
  const watched = new Map<string, Map<string, number>>();
  let listener: Promise<Listener | undefined> | undefined;
  let stopped = false;

  const wakeAll = (scope: string): void => {
    watchers.wake(Array.from(watched.get(scope)?.keys() ?? [], (id) => keyOf(scope, id)));
  };
  const listen = async (): Promise<Listener | undefined> => {
    if (origin === undefined) return undefined;
    try {
      const { pool } = await opening.open();
      return createListener({
        ...{ pool, schema: opening.schema, origin },
        onNotice: ({ scope, executionIds }) => {
          if (executionIds === undefined) wakeAll(scope);
          else watchers.wake(executionIds.map((id) => keyOf(scope, id)));
        },
        onGap: () => {
          for (const scope of watched.keys()) wakeAll(scope);
        },
      });
    } catch {
      // Whoever reads or writes hears why; the next who watches tries again.
      listener = undefined;
      return undefined;
    }
  };
  return {
    add: (scope, executionId, wake) => {
      const ends = [watchers.add(keyOf(scope, executionId), wake)];
      const own = watched.get(scope) ?? new Map<string, number>();
      watched.set(scope, own.set(executionId, (own.get(executionId) ?? 0) + 1));
      let ended = false;
      listener ??= listen();
      void listener.then((found) => {
        if (found === undefined) return;
        if (stopped) found.stop();
        else if (!ended) ends.push(found.want());
      });
      return () => {
        if (ended) return;
        ended = true;
        for (const end of ends) end();
        const count = (own.get(executionId) ?? 1) - 1;
        if (count > 0) own.set(executionId, count);
        else own.delete(executionId);
        if (own.size === 0 && watched.get(scope) === own) watched.delete(scope);
      };
    },
    wake: (scope, executionIds) => watchers.wake(executionIds.map((id) => keyOf(scope, id))),
    stop: () => {
      stopped = true;
      void listener?.then((found) => found?.stop());
    },
  };
}

function keyOf(scope: string, executionId: string): string {
  return JSON.stringify([scope, executionId]);
}
