import { newExecutionId } from "@spanloom/model";
import type { Pace } from "../models/create-models.ts";
import type { Workflow } from "./catalogue.ts";
import type { Shelves } from "./shelf.ts";

export interface StartedRun {
  executionId: string;
  /** Never rejects. From then on the execution can be flushed to the store. */
  started: Promise<unknown>;
  /** Never rejects: how it failed is in its trace. */
  finished: Promise<"completed" | "failed">;
}

export interface Runner {
  /** Starts a run and returns at once. `undefined` when there is no such workflow or document. */
  start(request: { workflowId: string; documentId: string; pace: Pace }): StartedRun | undefined;
  /** Stops what still runs and waits for it to end, at most this long. */
  stop(patienceMs: number): Promise<void>;
}

export function createRunner(workflows: readonly Workflow[], shelves: Shelves): Runner {
  const stopped = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    start({ workflowId, documentId, pace }) {
      const workflow = workflows.find(({ id }) => id === workflowId);
      if (!workflow?.documents.some(({ id }) => id === documentId)) return undefined;
      const executionId = newExecutionId();
      const shelf = shelves.forRun(executionId);
      const { promise: begun, resolve: onStart } = Promise.withResolvers<void>();
      const job = { executionId, documentId, pace, shelf, signal: stopped.signal, onStart };
      const finished = workflow.run(job).then(
        () => "completed" as const,
        () => "failed" as const,
      );
      running.add(finished);
      void finished.then(() => running.delete(finished));
      return { executionId, started: Promise.race([begun, finished]), finished };
    },
    async stop(patienceMs) {
      stopped.abort();
      const enough = new Promise((resolve) => setTimeout(resolve, patienceMs).unref());
      await Promise.race([Promise.all(running), enough]);
    },
  };
}
