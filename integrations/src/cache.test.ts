import type { CacheAccess } from "@spanloom/model";
import { createMemoryStore } from "@spanloom/store/memory";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { instrumentCache } from "@spanloom/tracer/cache";
import { Redis as IoRedis } from "ioredis";
import { Redis as IoValkey } from "iovalkey";
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { type RunningRedis, startRedis } from "../../scripts/redis-server.ts";

const TREE = "amtp:mcp:tree:*";
const BLOB = "amtp:mcp:blob:*";
const keyspaces = [TREE, BLOB, "amtp:*"];

let server: RunningRedis | { missing: string };

beforeAll(async () => {
  server = await startRedis();
}, 240_000);
afterAll(async () => {
  if ("url" in server) await server.stop();
});

describe("iovalkey", () => suite((url, options) => new IoValkey(url, options)));
describe("ioredis", () => suite((url, options) => new IoRedis(url, options)));

type Replies = Promise<[Error | null, unknown][] | null>;

interface Batch {
  get(key: string): this;
  mget(...keys: string[]): this;
  set(key: string, value: string): this;
  hget(key: string, field: string): this;
  exec(): Replies;
}

/** What the two clients share of what is used here. */
interface Client {
  get(key: string): Promise<string | null>;
  get(
    key: string,
    done: (error: Error | null | undefined, value?: string | null) => void,
  ): Promise<string | null>;
  getBuffer(key: string): Promise<Buffer | null>;
  mget(...keys: string[]): Promise<(string | null)[]>;
  set(key: string, value: string): Promise<"OK">;
  hset(key: string, field: string, value: string): Promise<number>;
  hget(key: string, field: string): Promise<string | null>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  hgetall(key: string): Promise<Record<string, string>>;
  exists(...keys: string[]): Promise<number>;
  incr(key: string): Promise<number>;
  del(...keys: string[]): Promise<number>;
  watch(key: string): Promise<"OK">;
  call(command: string, ...args: string[]): Promise<unknown>;
  pipeline(): Batch;
  multi(): Batch;
  multi(options: { pipeline: false }): Promise<"OK">;
  exec(): Replies;
  sendCommand(...args: never[]): unknown;
  disconnect(): void;
}

interface ClientOptions {
  keyPrefix?: string;
  enableAutoPipelining?: boolean;
}

function suite(connect: (url: string, options: ClientOptions) => Client): void {
  const open = (context: TestContext, options: ClientOptions = {}): Client => {
    if (!("url" in server)) return context.skip(server.missing);
    const client = connect(server.url, options);
    onTestFinished(() => client.disconnect());
    return client;
  };
  const setUp = async (
    context: TestContext,
    options: ClientOptions = {},
  ): Promise<{ client: Client; count: Count }> => {
    const bare = open(context);
    await bare.del("amtp:mcp:tree:new");
    await bare.set("amtp:mcp:tree:main", "t");
    await bare.set("amtp:mcp:blob:1", "QUEUED");
    await bare.hset("amtp:mcp:blob:h", "there", "x");
    const client = open(context, options);
    const { tracer, count } = record();
    expect(instrumentCache(client, { keyspaces, tracer })).toBe(client);
    return { client, count };
  };

  test("single reads count by the longest pattern that names their key, in whatever form they come", async (context) => {
    const { client, count } = await setUp(context);
    const accesses = await count(async () => {
      expect(await client.get("amtp:mcp:tree:main")).toBe("t");
      expect(await client.get("amtp:mcp:tree:absent")).toBeNull();
      expect(await client.getBuffer("amtp:mcp:blob:1")).toEqual(Buffer.from("QUEUED"));
      expect(await client.call("GET", "amtp:mcp:blob:absent")).toBeNull();
      expect(await client.hget("amtp:mcp:blob:h", "there")).toBe("x");
      expect(await client.hgetall("amtp:mcp:blob:none")).toEqual({});
      expect(await client.hgetall("amtp:mcp:blob:h")).toEqual({ there: "x" });
      await new Promise<void>((resolve) => {
        void client.get("amtp:elsewhere", (error, value) => {
          expect([error, value]).toEqual([null, null]);
          resolve();
        });
      });
      await client.get("other:key");
      await client.set("amtp:mcp:tree:main", "t");
    });
    expect(accesses).toEqual([
      { keyspace: TREE, hits: 1, misses: 1 },
      { keyspace: BLOB, hits: 3, misses: 2 },
      { keyspace: "amtp:*", hits: 0, misses: 1 },
    ]);
  });

  test("reads of several keys or fields count each, over all keyspaces", async (context) => {
    const { client, count } = await setUp(context);
    const accesses = await count(async () => {
      const keys = ["amtp:mcp:tree:main", "amtp:mcp:blob:absent", "other:key", "amtp:mcp:blob:1"];
      expect(await client.mget(...keys)).toEqual(["t", null, null, "QUEUED"]);
      expect(await client.hmget("amtp:mcp:blob:h", "there", "absent")).toEqual(["x", null]);
    });
    expect(accesses).toEqual([
      { keyspace: TREE, hits: 1, misses: 0 },
      { keyspace: BLOB, hits: 2, misses: 2 },
    ]);
  });

  test("EXISTS counts what its number says, and nothing where that does not tell which keys are there", async (context) => {
    const { client, count } = await setUp(context);
    const accesses = await count(async () => {
      expect(await client.exists("amtp:mcp:blob:1", "amtp:mcp:blob:absent")).toBe(1);
      expect(await client.exists("amtp:mcp:blob:1", "amtp:mcp:tree:main")).toBe(2);
      expect(await client.exists("amtp:mcp:blob:1", "amtp:mcp:tree:absent")).toBe(1);
    });
    expect(accesses).toEqual([
      { keyspace: BLOB, hits: 2, misses: 1 },
      { keyspace: TREE, hits: 1, misses: 0 },
    ]);
  });

  test("pipelines, and transactions in both forms", async (context) => {
    const { client, count } = await setUp(context);
    const read = <B extends Batch>(batch: B): B =>
      batch
        .get("amtp:mcp:tree:main")
        .set("amtp:mcp:tree:new", "n")
        .mget("amtp:mcp:tree:new", "amtp:mcp:blob:absent")
        .get("amtp:mcp:blob:1")
        .hget("amtp:mcp:blob:h", "absent");
    const replies = [
      [null, "t"],
      [null, "OK"],
      [null, ["n", null]],
      [null, "QUEUED"],
      [null, null],
    ];
    const expected = [
      { keyspace: TREE, hits: 2, misses: 0 },
      { keyspace: BLOB, hits: 1, misses: 2 },
    ];
    expect(await count(async () => expect(await read(client.pipeline()).exec()).toEqual(replies))).toEqual(
      expected,
    );
    expect(await count(async () => expect(await read(client.multi()).exec()).toEqual(replies))).toEqual(
      expected,
    );
    const unpiped = async (): Promise<void> => {
      await client.multi({ pipeline: false });
      void client.get("amtp:mcp:tree:main");
      void client.incr("counter");
      void client.mget("amtp:mcp:blob:1", "amtp:mcp:blob:absent");
      expect(await client.exec()).toMatchObject([
        [null, "t"],
        [null, expect.any(Number)],
        [null, ["QUEUED", null]],
      ]);
      await client.get("amtp:mcp:tree:main");
    };
    expect(await count(unpiped)).toEqual([
      { keyspace: TREE, hits: 2, misses: 0 },
      { keyspace: BLOB, hits: 1, misses: 1 },
    ]);
  });

  test("a transaction that the server does not run counts nothing, and the one after it counts again", async (context) => {
    const { client, count } = await setUp(context);
    const other = open(context);
    const accesses = await count(async () => {
      await client.watch("amtp:mcp:tree:main");
      await other.set("amtp:mcp:tree:main", "changed");
      expect(await client.multi().get("amtp:mcp:tree:main").exec()).toBeNull();
      await client.multi({ pipeline: false });
      await client.get("amtp:mcp:tree:main");
      await client.call("DISCARD");
      await client.get("amtp:mcp:blob:absent");
    });
    expect(accesses).toEqual([{ keyspace: BLOB, hits: 0, misses: 1 }]);
  });

  test("commands that are sent together later count where each was called", async (context) => {
    const { client, count } = await setUp(context, { enableAutoPipelining: true });
    const [left, right] = await Promise.all([
      count(() => client.get("amtp:mcp:tree:main")),
      count(() => Promise.all([client.get("amtp:mcp:blob:absent"), client.get("amtp:mcp:blob:1")])),
    ]);
    expect(left).toEqual([{ keyspace: TREE, hits: 1, misses: 0 }]);
    expect(right).toEqual([{ keyspace: BLOB, hits: 1, misses: 1 }]);
  });

  test("a prefix that the client adds belongs to the key", async (context) => {
    const { client, count } = await setUp(context, { keyPrefix: "amtp:mcp:" });
    expect(await count(() => client.get("tree:main"))).toEqual([{ keyspace: TREE, hits: 1, misses: 0 }]);
  });

  test("a failed command counts nothing and fails as before, also where nobody handles it", async (context) => {
    const { client, count } = await setUp(context);
    let unhandled: Promise<unknown> | undefined;
    const accesses = await count(async () => {
      await expect(client.get("amtp:mcp:blob:h")).rejects.toThrow(/WRONGTYPE/);
      const [[error] = []] = (await client.pipeline().get("amtp:mcp:blob:h").exec()) ?? [];
      expect(error?.message).toMatch(/WRONGTYPE/);
      const [[inside] = []] = (await client.multi().get("amtp:mcp:blob:h").exec()) ?? [];
      expect(inside?.message).toMatch(/WRONGTYPE/);
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      unhandled = new Promise((resolve) => process.once("unhandledRejection", resolve));
      void client.get("amtp:mcp:blob:h");
      expect(String(await unhandled)).toMatch(/WRONGTYPE/);
      for (const listener of others) process.on("unhandledRejection", listener);
    });
    expect(accesses).toEqual([]);
  });

  test("outside spans nothing is counted; a client that is instrumented twice counts once", async (context) => {
    const client = open(context);
    const { tracer, count } = record();
    instrumentCache(client, { keyspaces: ["amtp:*"], tracer });
    instrumentCache(client, { keyspaces: [TREE], tracer });
    expect(await client.get("amtp:mcp:tree:absent")).toBeNull();
    const accesses = await count(() => client.get("amtp:mcp:tree:absent"));
    expect(accesses).toEqual([{ keyspace: TREE, hits: 0, misses: 1 }]);
  });
}

/** Runs work inside a node; gives what was counted there, as it is stored. */
type Count = (work: () => unknown) => Promise<CacheAccess[]>;

function record(): { tracer: WorkflowTracer; count: Count } {
  const store = createMemoryStore();
  const tracer = createWorkflowTracer({ store, flushOnExit: false });
  onTestFinished(async () => void (await tracer.shutdown()));
  const count: Count = async (work) => {
    const { executionId, spanId } = await tracer.execution({ workflowId: "w" }, (execution) =>
      execution.node({ id: "n" }, async ({ spanId }) => {
        await work();
        return { executionId: execution.executionId, spanId };
      }),
    );
    await tracer.flush();
    const reader = store.forScope("default");
    const accesses = (await reader.getSpan(executionId, spanId))?.cache ?? [];
    const { mcpCache } = (await reader.getRunMetrics(executionId)) ?? {};
    const ofRun = (mcpCache?.keyspaces ?? []).map(({ keyspace, hits, misses }) => ({
      keyspace,
      hits,
      misses,
    }));
    const byKeyspace = (one: CacheAccess, other: CacheAccess): number =>
      one.keyspace < other.keyspace ? -1 : 1;
    expect(ofRun.toSorted(byKeyspace)).toEqual(accesses.toSorted(byKeyspace));
    return accesses;
  };
  return { tracer, count };
}
