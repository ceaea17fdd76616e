import { describe, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import { storeConformance } from "../testing/index.ts";
import { keepBlobs } from "./keep-blobs.ts";
import { createMemoryBlobs } from "./memory-blobs.test-support.ts";

const runner = { describe, test };

// A threshold of one character: every content there is becomes a blob.
storeConformance({
  name: "memory with blobs",
  runner,
  histories: 3,
  open: async () => keepBlobs(createMemoryStore(), { blobs: createMemoryBlobs(), over: 1, retention: false }),
});
