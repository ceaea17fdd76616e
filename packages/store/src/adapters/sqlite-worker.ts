// The worker thread of createSqliteStore. Hosts whose bundler cannot find it by itself name this file as `workerUrl`.
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { SpanloomError } from "@spanloom/model";
import type { ConnectionOptions } from "./sqlite/connection.ts";
import { type Engine, openEngine } from "./sqlite/engine.ts";
import { callEngine, type EngineMethod } from "./sqlite/engine-client.ts";
import { encodeError, toStoreError } from "./sqlite/errors.ts";
import type { WorkerReply, WorkerRequest } from "./sqlite/worker-client.ts";

if (isMainThread || parentPort === null) {
  throw new SpanloomError("invalid_argument", {
    what: "The SQLite worker was loaded as an ordinary module.",
    fix: "Import @spanloom/store/sqlite; pass the address of this file as workerUrl only where a bundler needs it.",
  });
}

const port = parentPort;
const options = workerData as ConnectionOptions;
let engine: Engine | undefined;

port.on("message", ({ id, method, args }: WorkerRequest) => {
  port.postMessage(answer(id, method, args));
  settleWhenIdle(IDLE_MS);
});

/** After so long without a question, what analytics will ask for is added up, so that the first one need not wait. */
const IDLE_MS = 100;
/** Between its steps, so that other processes get the file's lock. */
const PAUSE_MS = 25;
let idle: NodeJS.Timeout | undefined;

function settleWhenIdle(delayMs: number): void {
  clearTimeout(idle);
  idle = setTimeout(() => {
    try {
      if (engine?.settle()) settleWhenIdle(PAUSE_MS);
    } catch {
      // Whoever asks hears of it.
    }
  }, delayMs);
}

function answer(id: number, method: string | undefined, args: unknown[]): WorkerReply {
  try {
    if (method === undefined) {
      engine?.close();
      engine = undefined;
      return { id, value: undefined };
    }
    engine ??= openEngine(options);
    return {
      id,
      value: callEngine(engine, method as EngineMethod, args as Parameters<Engine[EngineMethod]>),
    };
  } catch (error) {
    return { id, error: encodeError(toStoreError(error, options.path)) };
  }
}
