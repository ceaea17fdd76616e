import { join } from "node:path";
import type { ScopedStore } from "@spanloom/model";
import { createHandler, type Handler } from "@spanloom/server";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { demoPrices } from "../models/create-models.ts";
import { authorize, panelConfig, SCOPE, service } from "./access.ts";
import type { Settings } from "./settings.ts";

export interface Observability {
  tracer: WorkflowTracer;
  handler: Handler;
  runs: ScopedStore;
  /** Writes what is still queued and lets go of the file. */
  close(): Promise<void>;
}

/** All that a host sets up: a store, a tracer that writes to it, and a handler that reads from it. */
export function createObservability(settings: Settings): Observability {
  const store = createSqliteStore({ path: join(settings.dataFolder, "spanloom.db") });
  const tracer = createWorkflowTracer({
    store,
    scope: SCOPE,
    serviceName: service.service,
    serviceVersion: service.serviceVersion,
    environment: service.environment,
    pricing: { overrides: demoPrices, version: "demo" },
    onProblem: (problem) => console.error(`Tracing: ${problem.message}`),
  });
  const handler = createHandler({
    store,
    authorize,
    config: panelConfig(settings),
    basePath: "/api/spanloom",
    readOnly: true,
  });
  return {
    tracer,
    handler,
    runs: store.forScope(SCOPE),
    async close() {
      await tracer.shutdown();
      await store.close();
    },
  };
}
