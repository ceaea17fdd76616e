import type { GetTraceQuery, ScopedStore } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import type { OpenStore } from "./index.ts";
import { runKit } from "./plant-fault.test-support.ts";

const features = { large: true };

describe("the conformance kit, with traces of 100,000 spans", () => {
  test("passes a store that holds them", async () => {
    const { failed, ran, report } = await runKit(
      { open: () => createMemoryStore(), features },
      "large traces",
    );
    expect({ failed, ran, report }).toEqual({ failed: [], ran: 3, report: undefined });
  });

  test("catches a store whose later pages lack a span", async () => {
    const { failed } = await runKit({ open: openLossy, features }, "large traces", { untilFailure: true });
    expect(failed).not.toEqual([]);
  });
});

function openLossy(): OpenStore {
  const store = createMemoryStore();
  return {
    prune: (request) => store.prune(request),
    close: () => store.close(),
    forScope(scope) {
      const sound = store.forScope(scope);
      return Object.assign(Object.create(sound) as ScopedStore, {
        async getTrace(executionId: string, query: GetTraceQuery = {}) {
          const page = await sound.getTrace(executionId, query);
          return page && query.cursor !== undefined ? { ...page, spans: page.spans.slice(1) } : page;
        },
      });
    },
  };
}
