import { join } from "node:path";
import type { ScopedStore, TraceStore } from "@spanloom/model";
import { createHandler, type Handler } from "@spanloom/server";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { demoPrices } from "../models/create-models.ts";
import { authorize, panelConfig, SCOPE, service } from "./access.ts";
import type { Settings } from "./settings.ts";

interface Tracing {
  store: TraceStore;
  tracer: WorkflowTracer;
  /** Writes what is still queued and lets go of the file. */
  close(): Promise<void>;
}

export interface Observability extends Omit<Tracing, "store"> {
  handler: Handler;
  runs: ScopedStore;
}

/** All that a host sets up: a store, a tracer that writes to it, and a handler that reads from it. */
export function createObservability(settings: Settings): Observability {
  const { store, tracer, close } = openTracing(settings.dataFolder, service.service);
  const handler = createHandler({
    store,
    authorize,
    config: panelConfig(settings),
    basePath: "/api/spanloom",
    readOnly: true,
  });
  return { tracer, handler, runs: store.forScope(SCOPE), close };
}

/** A store and a tracer. The studio's other programs have their own, which write into the same file. */
export function openTracing(dataFolder: string, serviceName: string): Tracing {
  const store = createSqliteStore({ path: join(dataFolder, "spanloom.db") });
  const tracer = createWorkflowTracer({
    store,
    scope: SCOPE,
    serviceName,
    serviceVersion: service.serviceVersion,
    environment: service.environment,
    pricing: { overrides: demoPrices, version: "demo" },
    onProblem: (problem) => console.error(`Tracing: ${problem.message}`),
  });
  return {
    store,
    tracer,
    async close() {
      await tracer.shutdown();
      await store.close();
    },
  };
}
