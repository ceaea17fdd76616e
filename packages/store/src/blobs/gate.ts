import { storeClosed } from "../check-arguments.ts";

/** Lets calls of several steps end before the store behind them closes. */
export interface Gate {
  /** Rejects with `store_closed` once the gate is closed. */
  pass<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when every call that passed has ended. */
  close(): Promise<void>;
}

export function createGate(name: string): Gate {
  const underWay = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async pass(work) {
      if (closed) throw storeClosed(name);
      const call = work();
      const ended = call.catch(() => undefined);
      underWay.add(ended);
      try {
        return await call;
      } finally {
        underWay.delete(ended);
      }
    },
    async close() {
      closed = true;
      await Promise.all(underWay);
    },
  };
}
