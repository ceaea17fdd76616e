import { writeFileSync } from "node:fs";
import { createMemoryStore } from "@spanloom/store";
import { formatReport, storeConformance } from "@spanloom/store/testing";

/* global describe, test */
storeConformance({
  name: "memory under Jest",
  runner: { describe, test },
  histories: 5,
  open: async () => {
    const store = createMemoryStore();
    if (process.env.FAULT === undefined) return store;
    // Whoever asks for a second page gets the first one again.
    return {
      close: () => store.close(),
      prune: (request) => store.prune(request),
      forScope: (scope) => {
        const sound = store.forScope(scope);
        return new Proxy(sound, {
          get: (_, key) => {
            if (key === "getTrace") return (id, { cursor: _, ...query } = {}) => sound.getTrace(id, query);
            const value = sound[key];
            return typeof value === "function" ? value.bind(sound) : value;
          },
        });
      },
    };
  },
  report: (report) => writeFileSync("conformance.md", formatReport(report)),
});
