// A real cluster of two nodes, each with half of the slots.
import { createMemoryStore } from "@spanloom/store/memory";
import { createWorkflowTracer } from "@spanloom/tracer";
import { instrumentCache } from "@spanloom/tracer/cache";
import { Cluster as IoRedisCluster, Redis } from "ioredis";
import { Cluster as IoValkeyCluster } from "iovalkey";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type RunningRedis, startClusterNode } from "../../scripts/redis-server.ts";

const TREE = "amtp:mcp:tree:*";
const BLOB = "amtp:mcp:blob:*";
const SLOTS = 16_384;
/** What stands in braces decides the slot: these two are of different nodes. */
const HERE = "amtp:mcp:tree:{b}";
const THERE = "amtp:mcp:blob:{a}";

const nodes: RunningRedis[] = [];
let missing = "";

beforeAll(async () => {
  for (let count = 0; count < 2; count++) {
    const node = await startClusterNode();
    if ("url" in node) nodes.push(node);
    else missing = node.missing;
  }
  if (missing === "") await formCluster();
}, 240_000);
afterAll(() => Promise.all(nodes.map((node) => node.stop())));

const open = {
  ioredis: (port: number) => new IoRedisCluster([{ host: "127.0.0.1", port }]),
  iovalkey: (port: number) => new IoValkeyCluster([{ host: "127.0.0.1", port }]),
};

test.for(["ioredis", "iovalkey"] as const)(
  "%s counts single reads, pipelines and transactions of a cluster, whichever node answers",
  async (name, context) => {
    if (missing !== "") return context.skip(missing);
    const [port = 0] = ports();
    const store = createMemoryStore();
    const tracer = createWorkflowTracer({ store, flushOnExit: false });
    const client = instrumentCache(open[name](port), { keyspaces: [TREE, BLOB], tracer });
    onTestFinished(async () => {
      client.disconnect();
      await tracer.shutdown();
    });
    await client.set(HERE, "h");
    await client.del(THERE);

    await tracer.execution({ workflowId: "w", executionId: name }, async (execution) => {
      await execution.node({ id: "reads" }, async () => {
        expect(await client.get(HERE)).toBe("h");
        expect(await client.get(THERE)).toBeNull();
        expect(await client.mget(HERE, `${HERE}:absent`)).toEqual(["h", null]);
      });
      await execution.node({ id: "pipelines" }, async () => {
        expect(await client.pipeline().get(HERE).get(`${HERE}:absent`).exec()).toEqual([
          [null, "h"],
          [null, null],
        ]);
        expect(await client.pipeline().get(THERE).exec()).toEqual([[null, null]]);
      });
      await execution.node({ id: "transaction" }, async () => {
        expect(await client.multi().get(THERE).set(THERE, "t").get(THERE).del(THERE).exec()).toEqual([
          [null, null],
          [null, "OK"],
          [null, "t"],
          [null, 1],
        ]);
      });
    });

    await tracer.flush();
    const trace = await store.forScope("default").getTrace(name, { view: "full" });
    const counted = Object.fromEntries(
      (trace?.spans ?? []).filter(({ kind }) => kind === "node").map(({ name, cache }) => [name, cache]),
    );
    expect(counted).toEqual({
      reads: [
        { keyspace: TREE, hits: 2, misses: 1 },
        { keyspace: BLOB, hits: 0, misses: 1 },
      ],
      pipelines: [
        { keyspace: TREE, hits: 1, misses: 1 },
        { keyspace: BLOB, hits: 0, misses: 1 },
      ],
      transaction: [{ keyspace: BLOB, hits: 1, misses: 1 }],
    });
  },
);

function ports(): number[] {
  return nodes.map(({ url }) => Number(new URL(url).port));
}

async function formCluster(): Promise<void> {
  const clients = nodes.map(({ url }) => new Redis(url));
  const [first, second] = clients as [Redis, Redis];
  const [, port = 0] = ports();
  try {
    await first.call("CLUSTER", "ADDSLOTSRANGE", "0", String(SLOTS / 2 - 1));
    await second.call("CLUSTER", "ADDSLOTSRANGE", String(SLOTS / 2), String(SLOTS - 1));
    // The bus stands on a port of its own, which each node tells of itself.
    const [, bus = ""] = /@(\d+)/.exec(String(await second.call("CLUSTER", "NODES"))) ?? [];
    await first.call("CLUSTER", "MEET", "127.0.0.1", String(port), bus);
    for (const client of clients)
      await vi.waitFor(
        async () => expect(String(await client.call("CLUSTER", "INFO"))).toContain("cluster_state:ok"),
        30_000,
      );
  } finally {
    for (const client of clients) client.disconnect();
  }
}
