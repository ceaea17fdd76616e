import type { TraceStore } from "@spanloom/model";
import { MemorySpans } from "../memory/spans.ts";
import { memoryStoreOf } from "../memory/store.ts";

/**
 * Keeps everything in this process and forgets it with the process: for tests, demos and short-lived tools. Its answers
 * are those of `@spanloom/metrics` itself. It grows with what is written; nothing is ever dropped but by `deleteExecution`.
 */
export function createMemoryStore(): TraceStore {
  return memoryStoreOf(() => new MemorySpans());
}
