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
  const started = performance.now();
  port.postMessage(answer(id, method, args));
  busyMs += performance.now() - started;
  // While calls wait, no timer has its turn.
  if (busyMs >= BUSY_MS && performance.now() >= notBefore) keepUp();
  else settleIn(DELAY_MS);
});

/**
 * What analytics will ask for is added up soon after the calls that left it behind, in steps of about 20 ms. A busy store
 * gives a third of its time to it, which is what the shortest executions need: else the first question after much writing
 * would wait for all of it.
 */
const DELAY_MS = 50;
/** Between steps, so that other processes get the file's lock. */
const PAUSE_MS = 25;
/** After a step that failed. */
const AGAIN_MS = 1000;
const BUSY_MS = 60;
/** After a longer call, too, others need not wait longer than for half of this. */
const MOST_BUSY_MS = 120;
/** How long calls took since the last step. */
let busyMs = 0;
/** A step that failed is not tried again before, however busy the store is. */
let notBefore = 0;
let next: NodeJS.Timeout | undefined;

function keepUp(): void {
  const until = performance.now() + Math.min(busyMs, MOST_BUSY_MS) / 2;
  while (settle() && performance.now() < until);
}

function settleIn(delayMs: number): void {
  next ??= setTimeout(settle, delayMs);
}

/** One step. True when there is more. */
function settle(): boolean {
  clearTimeout(next);
  next = undefined;
  busyMs = 0;
  try {
    if (engine?.settle() !== true) return false;
    settleIn(PAUSE_MS);
    return true;
  } catch {
    // Another process writes, or the disk is full. Whoever asks hears of it.
    notBefore = performance.now() + AGAIN_MS;
    settleIn(AGAIN_MS);
    return false;
  }
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
