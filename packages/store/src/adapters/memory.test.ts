import { describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { createMemoryStore } from "./memory.ts";

storeConformance({
  name: "memory",
  runner: { describe, test },
  open: async () => createMemoryStore(),
});
