import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createMemoryStore } from "../adapters/memory.ts";
import { formatReport, type OpenStore, storeConformance } from "./index.ts";

/** A test file of an adapter's author, for `node --test`. With `FAULT` set, the store forgets every third record. */
storeConformance({
  name: "memory",
  version: "1.0.0",
  runner: { describe, test },
  histories: 1,
  open: async () => (process.env.FAULT === undefined ? createMemoryStore() : openForgetful()),
  report(report) {
    writeFileSync(process.env.REPORT ?? "report.md", formatReport(report));
    writeFileSync(`${process.env.REPORT ?? "report"}.json`, JSON.stringify(report));
  },
});

function openForgetful(): OpenStore {
  const store = createMemoryStore();
  return {
    prune: (request) => store.prune(request),
    close: () => store.close(),
    forScope(scope) {
      const sound = store.forScope(scope);
      let turn = 0;
      return new Proxy(sound, {
        get(_, key) {
          if (key === "write") {
            return async (spans: Parameters<typeof sound.write>[0]) => {
              const receipt = await sound.write(spans.filter(() => ++turn % 3 !== 0));
              return { ...receipt, written: spans.length };
            };
          }
          const value: unknown = Reflect.get(sound, key);
          return typeof value === "function" ? value.bind(sound) : value;
        },
      });
    },
  };
}
