import type { WorkflowTracer } from "@spanloom/tracer";
import { instrumentCache } from "@spanloom/tracer/cache";
import { Redis } from "iovalkey";

/** Texts by key. */
export interface Cache {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  close(): void;
}

/** The families of keys that the run metrics tell apart. */
const TREE = "amtp:mcp:tree:*";
const BLOB = "amtp:mcp:blob:*";
const LIFETIME_SECONDS = 600;

/** The Redis or Valkey at `url`, or this process's memory where there is none. Hits and misses count on the active span. */
export async function openCache(url: string | undefined, tracer: WorkflowTracer): Promise<Cache> {
  if (!url) return memoryCache(tracer);
  const client = new Redis(url, { lazyConnect: true, connectTimeout: 2_000, maxRetriesPerRequest: 1 });
  client.on("error", (error) => console.error(`Cache: ${error.message}`));
  try {
    await client.connect();
  } catch {
    client.disconnect();
    console.error("Cache: REDIS_URL leads to no server, so this process's memory is used.");
    return memoryCache(tracer);
  }
  instrumentCache(client, { keyspaces: [TREE, BLOB], tracer });
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value, "EX", LIFETIME_SECONDS),
    close: () => client.disconnect(),
  };
}

/** The same by hand, as for a cache that has no instrumentation. */
function memoryCache(tracer: WorkflowTracer): Cache {
  const values = new Map<string, string>();
  return {
    async get(key) {
      const value = values.get(key) ?? null;
      const keyspace = key.startsWith(TREE.slice(0, -1)) ? TREE : BLOB;
      tracer.activeSpan()?.cache({ keyspace, hits: value === null ? 0 : 1, misses: value === null ? 1 : 0 });
      return value;
    },
    set: async (key, value) => values.set(key, value),
    close: () => undefined,
  };
}
