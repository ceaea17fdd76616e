import type { ConnectionOptions } from "./connection.ts";
import { type Engine, openEngine } from "./engine.ts";

export type EngineMethod = Exclude<keyof Engine, "close">;

/** The engine as the adapter calls it, wherever it runs. */
export interface EngineClient {
  call<M extends EngineMethod>(method: M, ...args: Parameters<Engine[M]>): Promise<ReturnType<Engine[M]>>;
  close(): Promise<void>;
}

/** Calls one method of an engine whose name and arguments came as data. */
export function callEngine<M extends EngineMethod>(
  engine: Engine,
  method: M,
  args: Parameters<Engine[M]>,
): ReturnType<Engine[M]> {
  const call = engine[method] as (...args: Parameters<Engine[M]>) => ReturnType<Engine[M]>;
  return call(...args);
}

/** The engine on the caller's own thread; each call blocks it. The file is opened by the first one. */
export function createLocalClient(options: ConnectionOptions): EngineClient {
  let engine: Engine | undefined;
  return {
    call: async (method, ...args) => {
      engine ??= openEngine(options);
      return callEngine(engine, method, args);
    },
    close: async () => {
      engine?.close();
      engine = undefined;
    },
  };
}
