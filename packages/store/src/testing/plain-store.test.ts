import { describe, test } from "vitest";
import { storeConformance } from "./index.ts";
import { createPlainStore } from "./plain-store.test-support.ts";

storeConformance({
  name: "plain",
  runner: { describe, test },
  histories: 8,
  open: async () => createPlainStore(),
});
