import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { OpenStore } from "../testing/index.ts";
import { createMemoryStore } from "./memory.ts";
import { createPortStore, type PortStore, servePort } from "./port.ts";

/** What the store behind the port can do. */
const memory = createMemoryStore();

export async function openOverChannel(): Promise<OpenStore> {
  const store = createMemoryStore();
  const { forScope, leave } = connect((scope, port) =>
    servePort(store.forScope(scope), port, { write: true, administration: true }),
  );
  return {
    forScope,
    close: async () => {
      leave();
      await store.close();
    },
  };
}

/** One worker thread for all tests; each has a store of its own there. */
export function portToWorker(): { open(): Promise<OpenStore>; terminate(): Promise<unknown> } {
  const worker = new Worker(new URL("../port/serve-memory.test-support.ts", import.meta.url));
  let tests = 0;
  return {
    async open() {
      const number = tests++;
      const { forScope, leave } = connect((scope, port) =>
        worker.postMessage({ test: number, scope, port }, [port]),
      );
      return {
        forScope,
        close: async () => {
          leave();
          worker.postMessage({ test: number });
        },
      };
    },
    terminate: () => worker.terminate(),
  };
}

/** A store over a channel of its own for each scope. */
function connect(serve: (scope: string, port: MessagePort) => unknown): {
  forScope(scope: string): PortStore;
  leave(): void;
} {
  const stores: PortStore[] = [];
  const ports: MessagePort[] = [];
  return {
    forScope(scope) {
      const { port1, port2 } = new MessageChannel();
      serve(scope, port2);
      const store = createPortStore(port1, { scope, capabilities: memory.capabilities });
      stores.push(store);
      ports.push(port1);
      return store;
    },
    leave() {
      for (const store of stores) store.close();
      for (const port of ports) port.close();
    },
  };
}
