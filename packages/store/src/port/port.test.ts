import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { SpanloomError, type SpanRecord, type TraceChanges } from "@spanloom/model";
import { makeSpan, makeTrace, runningTrace } from "@spanloom/model/fixtures";
import { afterEach, describe, expect, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import {
  createPortStore,
  type PortLike,
  type PortStore,
  type PortStoreOptions,
  type ServedStore,
  type ServePortOptions,
  servePort,
} from "../adapters/port.ts";
import { root } from "../testing/spans.ts";

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function channel(): { port1: MessagePort; port2: MessagePort } {
  const ports = new MessageChannel();
  open.push(ports.port1, ports.port2);
  return ports;
}

function connect(
  options: ServePortOptions & {
    client?: PortStoreOptions;
    around?: (store: ServedStore) => ServedStore;
  } = {},
) {
  const { client, around = (store) => store, ...serve } = options;
  const { port1, port2 } = channel();
  const inner = createMemoryStore().forScope("tenant");
  const served = servePort(around(inner), port2, serve);
  return { inner, served, store: createPortStore(port1, client), port1, port2 };
}

const all = { write: true, administration: true };

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => (error instanceof SpanloomError ? error.code : String(error)),
  );

/** A store whose `getTrace` waits until it is let go, and counts what it was asked. */
function slow(asked: string[], gate: Promise<void>): (store: ServedStore) => ServedStore {
  return (store) =>
    Object.assign(Object.create(store), {
      async getExecution(executionId: string) {
        asked.push(executionId);
        await gate;
        return store.getExecution(executionId);
      },
    });
}

describe("what the serving side allows", () => {
  test("is reading, unless it says more", async () => {
    const { store, inner } = connect();
    await inner.write([root("run-a", 1)]);
    expect((await store.getExecution("run-a"))?.executionId).toBe("run-a");
    for (const call of [
      store.write([root("run-b", 2)]),
      store.deleteExecution("run-a"),
      store.prune({ before: "9000000000000000000" }),
      store.recompute(),
      store.redact((record) => ({ ...record, name: "gone" })),
    ]) {
      expect(await codeOf(call)).toBe("not_permitted");
    }
    expect((await inner.listExecutions()).items.map(({ executionId }) => executionId)).toEqual(["run-a"]);
    expect((await inner.getSpan("run-a", root("run-a", 1).spanId))?.name).not.toBe("gone");
  });

  test("is said apart for writes and for administration", async () => {
    const writes = connect({ write: true });
    expect(await writes.store.write([root("run-a", 1)])).toMatchObject({ written: 1 });
    expect(await codeOf(writes.store.deleteExecution("run-a"))).toBe("not_permitted");
    const administration = connect({ administration: true });
    await administration.inner.write([root("run-a", 1)]);
    expect(await codeOf(administration.store.write([root("run-b", 2)]))).toBe("not_permitted");
    expect(await administration.store.deleteExecution("run-a")).toBe(true);
  });

  test("is nothing else of the store, whatever the other side sends", async () => {
    const { port1, inner } = connect(all);
    await inner.write([root("run-a", 1)]);
    const answers: unknown[] = [];
    port1.on("message", (message) => answers.push(message));
    const send = (message: object): void =>
      port1.postMessage({ spanloom: 1, session: "x", kind: "call", ...message });
    send({ id: 1, method: "constructor", args: [] });
    send({ id: 2, method: "__proto__", args: [] });
    send({ id: 3, method: "forScope", args: ["other"] });
    send({ id: 4, method: "getExecution", args: "run-a" });
    send({ id: 5, method: "redactSpans", args: [{ executionId: "run-a", spans: [null] }] });
    port1.postMessage("hello");
    port1.postMessage({
      spanloom: 2,
      session: "x",
      kind: "call",
      id: 6,
      method: "getExecution",
      args: ["run-a"],
    });
    send({ id: 7, method: "getExecution", args: ["run-a"] });
    while (answers.length < 6) await once(port1, "message");
    expect(answers).toMatchObject([
      ...[1, 2, 3, 4].map((id) => ({ id, kind: "failure", error: { code: "not_supported" } })),
      { id: 5, kind: "failure", error: { code: "invalid_argument" } },
      { id: 7, kind: "answer", value: { executionId: "run-a" } },
    ]);
  });

  test("a reader alone can be served, and what it has not is said", async () => {
    const { store } = connect({
      ...all,
      around: (inner) =>
        Object.assign(Object.create(inner), {
          write: undefined,
          deleteExecution: undefined,
          prune: undefined,
          recompute: undefined,
        }),
    });
    for (const call of [
      store.write([root("run-a", 1)]),
      store.deleteExecution("run-a"),
      store.prune({ before: "1" }),
      store.recompute(),
    ]) {
      expect(await codeOf(call)).toBe("not_supported");
    }
  });
});

describe("errors", () => {
  test("of the family come with all their parts", async () => {
    const { store, inner } = connect();
    const here = await inner.listExecutions({ limit: 0 }).catch((error: SpanloomError) => error);
    const there = await store.listExecutions({ limit: 0 }).catch((error: SpanloomError) => error);
    expect(there).toBeInstanceOf(SpanloomError);
    for (const part of ["code", "what", "why", "fix", "message"] as const) {
      expect((there as SpanloomError)[part]).toBe((here as SpanloomError)[part]);
    }
  });

  test("of any other kind are failures of the store", async () => {
    const { store } = connect({
      around: (inner) =>
        Object.assign(Object.create(inner), { getExecution: () => Promise.reject(new TypeError("no disk")) }),
    });
    await expect(store.getExecution("run-a")).rejects.toMatchObject({ code: "store_failed", why: "no disk" });
  });

  test("an argument that is no data is refused, and a record that holds such is rejected in its place", async () => {
    const { store } = connect(all);
    expect(await codeOf(store.listExecutions({ text: (() => 1) as never }))).toBe("invalid_argument");
    const receipt = await store.write([
      root("run-a", 1),
      { ...root("run-b", 2), attributes: { f: (() => 1) as never } },
    ]);
    expect(receipt).toMatchObject({ written: 1, rejected: [{ index: 1, code: "invalid_record" }] });
  });

  test("a port that nobody serves is silent", async () => {
    const { port1 } = channel();
    const store = createPortStore(port1, { timeoutMs: 5 });
    expect(await codeOf(store.getExecution("run-a"))).toBe("timed_out");
  });
});

describe("the end", () => {
  test.each<[string, string, (parts: ReturnType<typeof connect>) => void]>([
    ["its own close", "store_closed", ({ store }) => store.close()],
    ["a closed port", "network_failed", ({ port1 }) => port1.close()],
    ["a port closed at the other side", "network_failed", ({ port2 }) => port2.close()],
    ["the end of serving", "network_failed", ({ served }) => served.stop()],
  ])("%s rejects calls under way and later ones", async (_, code, end) => {
    const asked: string[] = [];
    const parts = connect({ around: slow(asked, new Promise(() => {})) });
    const call = parts.store.getExecution("run-a");
    const live = parts.store.follow("run-a", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
    const failed = [codeOf(call), codeOf(live)];
    end(parts);
    // An unknown execution may be told before the end is.
    expect(await failed[0]).toBe(code);
    expect([code, "not_found"]).toContain(await failed[1]);
    expect(await codeOf(parts.store.getExecution("run-a"))).toBe(code);
  });

  test("of a worker that serves is heard", async () => {
    const worker = new Worker(new URL("./serve-memory.test-support.ts", import.meta.url));
    const { port1, port2 } = channel();
    worker.postMessage({ test: 1, scope: "tenant", port: port2 }, [port2]);
    const store = createPortStore(port1);
    expect(await store.getExecution("run-a")).toBeUndefined();
    await worker.terminate();
    expect(await codeOf(store.getExecution("run-a"))).toBe("network_failed");
  });

  test("frees what the reader had asked for: watches end, calls that wait are not carried out", async () => {
    const asked: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let watches = 0;
    const { store, port2, port1 } = connect({
      around: (inner) =>
        Object.assign(slow(asked, gate)(inner), {
          watch: () => {
            watches++;
            return () => void watches--;
          },
        }),
    });
    store.watch("run-a", () => {});
    const calls = Array.from({ length: 20 }, (_, index) => codeOf(store.getExecution(`run-${index}`)));
    const other = createPortStore(port1);
    while (asked.length < 8) await once(port2, "message");
    expect(watches).toBe(1);
    store.close();
    while (watches > 0) await new Promise(setImmediate);
    release();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["store_closed"]));
    expect(await other.getExecution("run-z")).toBeUndefined();
    expect(asked).toHaveLength(9);
  });

  test("an idle store keeps no process alive, a call under way does", async () => {
    const script = `
      import { MessageChannel } from "node:worker_threads";
      import { createMemoryStore } from ${JSON.stringify(new URL("../adapters/memory.ts", import.meta.url).href)};
      import { createPortStore, servePort } from ${JSON.stringify(new URL("../adapters/port.ts", import.meta.url).href)};
      const { port1, port2 } = new MessageChannel();
      servePort(createMemoryStore().forScope("tenant"), port2);
      const store = createPortStore(port1);
      store.watch("run-a", () => {});
      store.listExecutions().then((page) => console.log(JSON.stringify(page)));
    `;
    const args = ["--conditions=@spanloom/source", "--input-type=module", "--eval", script];
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
    expect(JSON.parse(stdout)).toEqual({ items: [] });
  });
});

describe("many and large answers", () => {
  test("no more than eight calls are under way, also counting answers that were not taken", async () => {
    const { port1, port2 } = channel();
    const inner = createMemoryStore().forScope("tenant");
    await inner.write([root("run-a", 1)]);
    servePort(inner, port2);
    const answers: { id: number; session: string }[] = [];
    port1.on("message", (message) => answers.push(message));
    for (let id = 1; id <= 20; id++) {
      port1.postMessage({
        spanloom: 1,
        kind: "call",
        session: "x",
        id,
        method: "getExecution",
        args: ["run-a"],
      });
    }
    while (answers.length < 8) await once(port1, "message");
    await quiet();
    expect(answers.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const id of [1, 2, 3]) port1.postMessage({ spanloom: 1, kind: "taken", session: "x", id });
    while (answers.length < 11) await once(port1, "message");
    await quiet();
    expect(answers).toHaveLength(11);
  });

  test("whoever asks without end is refused", async () => {
    const { store } = connect({ around: slow([], new Promise(() => {})) });
    const calls = Array.from({ length: 1_010 }, () => codeOf(store.getExecution("run-a")));
    expect(await calls.at(-1)).toBe("limit_exceeded");
    store.close();
  });

  test("a long trace comes whole, page by page", async () => {
    const { store, inner } = connect();
    await inner.write(makeTrace({ spans: 2_000 }));
    const found: SpanRecord[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.getTrace("made-1", {
        view: "full",
        limit: 300,
        ...(cursor !== undefined && { cursor }),
      });
      found.push(...(page?.spans ?? []));
      cursor = page?.nextCursor;
    } while (cursor !== undefined);
    expect(found).toEqual((await inner.getTrace("made-1", { view: "full", limit: 10_000 }))?.spans);
  });
});

describe("live", () => {
  const running = runningTrace();
  const [first] = running;
  const runningId = first?.executionId ?? "";
  const late = makeSpan({
    executionId: runningId,
    traceId: first?.traceId ?? "",
    spanId: "00000000000000ab",
  });

  test("follow gives everything, then changes as they come, and ends with the signal", async () => {
    const { store, inner } = connect();
    await inner.write(running);
    const leave = new AbortController();
    const seen: TraceChanges[] = [];
    for await (const changes of store.follow(runningId, 0, leave.signal)) {
      seen.push(changes);
      if (seen.length === 1) await inner.write([late]);
      else leave.abort();
    }
    expect(seen.map(({ spans }) => spans.length)).toEqual([running.length, 1]);
    expect(seen[1]).toEqual(await inner.changesSince(runningId, seen[0]?.seq ?? 0));
  });

  test("a slow reader gets fewer, larger parts", async () => {
    const { store, inner } = connect();
    await inner.write(running);
    const changes = store.follow(runningId, 0, new AbortController().signal)[Symbol.asyncIterator]();
    await changes.next();
    for (let number = 1; number <= 5; number++) {
      await inner.write([{ ...late, spanId: `00000000000000a${number}` }]);
    }
    expect((await changes.next()).value?.spans).toHaveLength(5);
    await changes.return?.();
  });

  test("an execution that is not there, and a seq that the store does not know, are told", async () => {
    const { store, inner } = connect();
    await inner.write(running);
    const next = (id: string, seq: number) =>
      store.follow(id, seq, new AbortController().signal)[Symbol.asyncIterator]().next();
    expect(await codeOf(next("nobody", 0))).toBe("not_found");
    expect(await codeOf(next(runningId, 999_999))).toBe("invalid_cursor");
  });

  test("a store's own stream is handed on", async () => {
    const { store, inner } = connect({
      around: (served) =>
        Object.assign(Object.create(served), {
          async *follow(executionId: string, seq: number) {
            const changes = await served.changesSince(executionId, seq);
            if (changes !== undefined) yield { ...changes, more: true };
          },
        }),
    });
    await inner.write(running);
    const seen = [];
    for await (const changes of store.follow(runningId, 0, new AbortController().signal))
      seen.push(changes.more);
    expect(seen).toEqual([true]);
  });

  test("watch wakes after commits, and no more after its end", async () => {
    const { store, inner } = connect();
    let wakes = 0;
    let woken = (): void => {};
    const stop = store.watch(runningId, () => {
      wakes++;
      woken();
    });
    // The answer to a later call says that the watch has arrived.
    await store.listExecutions();
    const heard = new Promise<void>((resolve) => {
      woken = resolve;
    });
    await inner.write(running);
    await heard;
    stop();
    await store.listExecutions();
    const before = wakes;
    await inner.write([late]);
    await store.listExecutions();
    expect(wakes).toBe(before);
  });
});

test("redact runs its rule here and changes what is stored there", async () => {
  const { store, inner } = connect(all);
  const spans = makeTrace({ spans: 700 });
  await inner.write(spans);
  const inPlace = (record: SpanRecord): SpanRecord => {
    if (record.kind === "llm") record.attributes = { ...record.attributes, cleaned: true };
    return record;
  };
  const models = spans.filter(({ kind }) => kind === "llm").length;
  expect(await store.redact(inPlace)).toEqual({ executions: 1, spans: models });
  expect(await store.redact(inPlace)).toEqual({ executions: 1, spans: 0 });
  const page = await inner.getTrace("made-1", { view: "full", limit: 1_000 });
  expect(page?.spans.filter(({ attributes }) => attributes.cleaned === true)).toHaveLength(models);
  expect(await codeOf(store.redact(() => JSON.parse("{")))).toBe("invalid_argument");
});

test("works over ports that hand over events, as those of Electron's main process", async () => {
  const { port1, port2 } = emitterPorts();
  const inner = createMemoryStore().forScope("tenant");
  await inner.write([root("run-a", 1)]);
  servePort(inner, port1);
  const store: PortStore = createPortStore(port2);
  expect((await store.getExecution("run-a"))?.executionId).toBe("run-a");
  port2.emit("close");
  expect(await codeOf(store.getExecution("run-a"))).toBe("network_failed");
});

test("several stores over one port do not hear each other", async () => {
  const { store, inner, port1 } = connect();
  await inner.write([root("run-a", 1), root("run-b", 2)]);
  const other = createPortStore(port1);
  const [a, b] = await Promise.all([store.getExecution("run-a"), other.getExecution("run-b")]);
  expect([a?.executionId, b?.executionId]).toEqual(["run-a", "run-b"]);
  store.close();
  expect((await other.getExecution("run-a"))?.executionId).toBe("run-a");
});

/** Two ends that hand over `{ data }`, copied and later, and have no `addEventListener`. */
function emitterPorts(): { port1: PortLike & EventEmitter; port2: PortLike & EventEmitter } {
  class Port extends EventEmitter {
    other: Port | undefined;
    postMessage(message: unknown): void {
      const data: unknown = structuredClone(message);
      queueMicrotask(() => this.other?.emit("message", { data }));
    }
  }
  const port1 = new Port();
  const port2 = new Port();
  port1.other = port2;
  port2.other = port1;
  return { port1, port2 };
}

/** Some turns of the loop, in which answers that were sent too soon would arrive. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}
