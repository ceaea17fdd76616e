import { afterAll, beforeAll, describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { portToWorker } from "./port-harness.test-support.ts";

let worker: ReturnType<typeof portToWorker>;
beforeAll(() => {
  worker = portToWorker();
});
afterAll(() => worker.terminate());

storeConformance({
  name: "port, to a worker thread",
  runner: { describe, test },
  features: { inProcess: false },
  histories: 3,
  open: () => worker.open(),
});
