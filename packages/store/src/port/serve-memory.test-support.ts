// A worker thread that serves a memory store over every port that it is sent.
import { type MessagePort, parentPort } from "node:worker_threads";
import { createMemoryStore } from "../adapters/memory.ts";
import { servePort } from "../adapters/port.ts";

const stores = new Map<number, ReturnType<typeof createMemoryStore>>();

parentPort?.on("message", ({ test, scope, port }: { test: number; scope: string; port?: MessagePort }) => {
  if (port === undefined) {
    stores.delete(test);
    return;
  }
  const store = stores.get(test) ?? createMemoryStore();
  stores.set(test, store);
  servePort(store.forScope(scope), port, { write: true, administration: true });
});
