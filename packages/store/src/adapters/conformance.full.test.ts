import { afterAll, beforeAll, describe, test } from "vitest";
import { observeStore } from "../observe/observe-store.ts";
import { storeConformance } from "../testing/index.ts";
import { httpFeatures, openOverSocket, openWithoutSocket } from "./http-harness.test-support.ts";
import { createMemoryStore } from "./memory.ts";
import { openOverChannel, portToWorker } from "./port-harness.test-support.ts";

// What has no long tests of its own, with more histories than the quick tests try.
const runner = { describe, test };

storeConformance({ name: "memory", runner, histories: 100, open: async () => createMemoryStore() });

storeConformance({
  name: "memory, observed",
  runner,
  histories: 30,
  open: async () => observeStore(createMemoryStore()),
});

const http = { runner, features: httpFeatures };
storeConformance({ ...http, name: "http, without a socket", histories: 60, open: openWithoutSocket });
storeConformance({ ...http, name: "http, over a socket", histories: 30, open: openOverSocket });

const port = { runner, features: { inProcess: false } };
storeConformance({ ...port, name: "port, over a channel", histories: 60, open: openOverChannel });

describe("in a worker thread", () => {
  let worker: ReturnType<typeof portToWorker>;
  beforeAll(() => {
    worker = portToWorker();
  });
  afterAll(() => worker.terminate());
  storeConformance({
    ...port,
    name: "port, to a worker thread",
    histories: 60,
    open: () => worker.open(),
  });
});
