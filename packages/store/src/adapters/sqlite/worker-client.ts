import { Worker } from "node:worker_threads";
import { SpanloomError } from "@spanloom/model";
import type { ConnectionOptions } from "./connection.ts";
import type { EngineClient } from "./engine-client.ts";
import { decodeError, type WireError } from "./errors.ts";

/** What the worker is asked; without a method, to close. */
export interface WorkerRequest {
  id: number;
  method?: string;
  args: unknown[];
}

export type WorkerReply = { id: number; value: unknown } | { id: number; error: WireError };

interface Pending {
  resolve(value: never): void;
  reject(error: SpanloomError): void;
}

/**
 * The engine in a worker thread. Records cross by structured clone, which costs this thread less than making JSON. When
 * the worker dies, calls under way are rejected and the next call starts a new one.
 */
export function createWorkerClient(
  options: ConnectionOptions,
  workerUrl: string | URL | undefined,
): EngineClient {
  let current: RunningWorker | undefined;
  return {
    call: (method, ...args) => {
      if (current === undefined || current.stopped) current = startWorker(options, workerUrl);
      return current.ask(method, args);
    },
    close: async () => {
      const closing = current;
      current = undefined;
      if (closing === undefined || closing.stopped) return;
      try {
        await closing.ask(undefined, []);
      } finally {
        await closing.stop();
      }
    },
  };
}

interface RunningWorker {
  readonly stopped: boolean;
  ask<T>(method: string | undefined, args: unknown[]): Promise<T>;
  stop(): Promise<void>;
}

function startWorker(options: ConnectionOptions, workerUrl: string | URL | undefined): RunningWorker {
  const pending = new Map<number, Pending>();
  const state: { stopped: boolean; cause?: Error } = { stopped: false };
  let nextId = 0;
  // Bundlers find the worker's file by this very expression.
  const worker =
    workerUrl === undefined
      ? new Worker(new URL("../sqlite-worker.ts", import.meta.url), { workerData: options })
      : new Worker(workerUrl, { workerData: options });
  // An idle store keeps no process alive; a write under way does.
  worker.unref();
  const settle = (id: number): Pending | undefined => {
    const waiting = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) worker.unref();
    return waiting;
  };
  worker.on("message", (reply: WorkerReply) => {
    const waiting = settle(reply.id);
    if ("error" in reply) waiting?.reject(decodeError(reply.error));
    else waiting?.resolve(reply.value as never);
  });
  worker.on("error", (error: Error) => {
    state.cause = error;
  });
  worker.on("exit", () => {
    state.stopped = true;
    for (const id of [...pending.keys()]) settle(id)?.reject(workerStopped(state.cause));
  });
  return {
    get stopped() {
      return state.stopped;
    },
    ask: <T>(method: string | undefined, args: unknown[]) =>
      new Promise<T>((resolve, reject) => {
        const id = nextId++;
        const request: WorkerRequest = { id, args, ...(method !== undefined && { method }) };
        // Throws where an argument cannot be cloned; then nothing waits.
        worker.postMessage(request);
        pending.set(id, { resolve, reject });
        worker.ref();
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
}

function workerStopped(cause: Error | undefined): SpanloomError {
  return new SpanloomError("store_failed", {
    what: "The store's worker thread stopped; whether the call was carried out is not known.",
    why: cause === undefined ? "Something ended it." : `It failed: ${cause.message}`,
    fix: "Call again: a new worker starts, and writing the same spans twice changes nothing. Where workers cannot start, set worker: false or give workerUrl.",
    cause,
  });
}
