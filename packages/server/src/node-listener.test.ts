import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { ScopedStore, TraceStore } from "@spanloom/model";
import { makeSpan, makeTrace, runningTrace, textContent } from "@spanloom/model/fixtures";
import { createMemoryStore } from "@spanloom/store";
import { createHttpStore } from "@spanloom/store/http";
import { afterEach, describe, expect, test } from "vitest";
import { type Authorize, allowAll } from "./authorize.ts";
import { createHandler, type HandlerOptions } from "./create-handler.ts";
import { lateSpan } from "./handler.test-support.ts";
import { createNodeListener } from "./node-listener.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

interface Listening {
  url: string;
  store: ScopedStore;
  port: number;
  errors: unknown[];
}

async function listen(options: Partial<HandlerOptions> = {}): Promise<Listening> {
  const store = options.store ?? createMemoryStore();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const handler = createHandler({ store, authorize: allowAll(), onError, ...options });
  const server = createServer(createNodeListener(handler)).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, store: store.forScope("default"), port, errors };
}

/** The text events of a stream, read as they come. */
async function* eventsOf(response: Response): AsyncGenerator<Record<string, string>, void, undefined> {
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      yield Object.fromEntries(
        lines.map((line) => [line.split(": ")[0] || "comment", line.replace(/^[^:]*: /, "")]),
      );
    }
  }
}

async function nextEvent(
  events: AsyncGenerator<Record<string, string>>,
  name: string,
): Promise<Record<string, string>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error(`The stream ended before an event "${name}" came.`);
    if (value.event === name) return value;
  }
}

/** A store that tells how many watches are open, and when that changes. */
function countWatches(inner: TraceStore = createMemoryStore()): {
  store: TraceStore;
  open: () => number;
  idle: Promise<void>;
} {
  let open = 0;
  let becomeIdle = (): void => undefined;
  const idle = new Promise<void>((resolve) => {
    becomeIdle = resolve;
  });
  const store: TraceStore = {
    name: inner.name,
    capabilities: inner.capabilities,
    prune: (request) => inner.prune(request),
    close: () => inner.close(),
    forScope(scope) {
      const scoped = inner.forScope(scope);
      return new Proxy(scoped, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (key !== "watch") return typeof value === "function" ? value.bind(target) : value;
          return (executionId: string, wake: () => void) => {
            open++;
            const stop = target.watch?.(executionId, wake);
            return () => {
              stop?.();
              if (--open === 0) becomeIdle();
            };
          };
        },
      });
    },
  };
  return { store, open: () => open, idle };
}

const running = runningTrace();
const executionId = running[0]?.executionId ?? "";
const path = `/executions/${executionId}/trace`;
const stream = { accept: "text/event-stream" };

describe("a live trace over a socket", () => {
  test("starts with a snapshot, goes on with changes, and resumes by Last-Event-ID after a lost connection", async () => {
    const { url, store } = await listen();
    await store.write(running);
    const first = await fetch(`${url}${path}`, { headers: stream });
    expect(first.headers.get("content-type")).toBe("text/event-stream");
    expect(first.headers.get("content-encoding")).toBeNull();
    const events = eventsOf(first);
    const snapshot = await nextEvent(events, "snapshot");
    expect(JSON.parse(snapshot.data ?? "").spans).toHaveLength(running.length);

    const seen = lateSpan({ spans: running, executionId });
    await store.write([seen]);
    const change = await nextEvent(events, "changes");
    expect(JSON.parse(change.data ?? "").spans).toMatchObject([{ span_id: seen.spanId }]);
    await events.return();

    const missed = { ...seen, spanId: "00000000000000ad" };
    await store.write([missed]);
    const again = await fetch(`${url}${path}`, { headers: { ...stream, "last-event-id": change.id ?? "" } });
    const next = await nextEvent(eventsOf(again), "changes");
    expect(JSON.parse(next.data ?? "").spans).toMatchObject([{ span_id: missed.spanId }]);
    expect(Number(next.id)).toBeGreaterThan(Number(change.id));
    await again.body?.cancel().catch(() => undefined);
  });

  test("ends with an `end` event once the execution is done and quiet", async () => {
    const { url, store } = await listen({ live: { quietMs: 20 } });
    const trace = makeTrace({ spans: 10 });
    await store.write(trace);
    const events = [];
    for await (const event of eventsOf(await fetch(`${url}/executions/made-1/trace`, { headers: stream }))) {
      events.push(event.event);
    }
    expect(events).toEqual([undefined, "snapshot", "end"]);
  });

  test("sees what other processes write, by asking, where the store cannot wake it", async () => {
    const inner = createMemoryStore();
    const unwatched: TraceStore = {
      ...inner,
      forScope: (scope) =>
        new Proxy(inner.forScope(scope), {
          get(target, key) {
            const value: unknown = key === "watch" ? undefined : Reflect.get(target, key);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    };
    const { url, store } = await listen({ store: unwatched, live: { pollMs: 10 } });
    await store.write(running);
    const events = eventsOf(await fetch(`${url}${path}`, { headers: stream }));
    await nextEvent(events, "snapshot");
    await store.write([lateSpan({ spans: running, executionId })]);
    expect(await nextEvent(events, "changes")).toBeDefined();
    await events.return();
  });

  test("a client that disconnects frees its watch", async () => {
    const { store: counted, open, idle } = countWatches();
    const { url, store } = await listen({ store: counted });
    await store.write(running);
    const leave = new AbortController();
    const response = await fetch(`${url}${path}`, { headers: stream, signal: leave.signal });
    await nextEvent(eventsOf(response), "snapshot");
    expect(open()).toBe(1);
    leave.abort();
    await idle;
    expect(open()).toBe(0);
  });

  test("a client that does not read costs no reads of the store, and gets all changes at once when it does", async () => {
    const inner = createMemoryStore();
    let reads = 0;
    const counted: TraceStore = {
      ...inner,
      forScope: (scope) =>
        new Proxy(inner.forScope(scope), {
          get(target, key) {
            if (key === "changesSince") reads++;
            const value: unknown = Reflect.get(target, key);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    };
    const { store, port } = await listen({ store: counted, live: { gatherMs: 0 } });
    const big = makeTrace({ spans: 20_000, content: false });
    await store.write([
      makeSpan({ executionId, traceId: running[0]?.traceId ?? "", spanId: "00000000000000ae" }),
    ]);
    await store.write(big.map((span) => ({ ...span, executionId, traceId: running[0]?.traceId ?? "" })));
    const socket = connect(port, "127.0.0.1");
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    await once(socket, "connect");
    // The stream stalls when the buffers between the two ends are full: then nothing more is read.
    const stalled = await untilSteady(() => reads);
    expect(stalled).toBeLessThan(41);
    let received = 0;
    socket.setEncoding("latin1").resume();
    for await (const chunk of socket) {
      received += (chunk as string).split("\nevent: ").length - 1;
      if ((chunk as string).includes('"more":false')) break;
    }
    expect(received).toBeGreaterThan(0);
    expect(reads).toBeGreaterThan(stalled);
  });

  test("ends when the host no longer lets the caller in", async () => {
    let allowed = true;
    const authorize: Authorize = () =>
      allowed ? { scope: "default", roles: [], content: true } : { status: 401 };
    const { url, store } = await listen({ authorize, live: { authorizeMs: 0 } });
    await store.write(running);
    const events = eventsOf(await fetch(`${url}${path}`, { headers: stream }));
    await nextEvent(events, "snapshot");
    allowed = false;
    await store.write([lateSpan({ spans: running, executionId })]);
    await expect(nextEvent(events, "changes")).rejects.toThrow("The stream ended");
  });

  test("a store that fails ends the stream without an end event and without its text", async () => {
    const { url, store, errors } = await listen({ live: { pollMs: 1, gatherMs: 0 } });
    await store.write(running);
    const response = await fetch(`${url}${path}`, { headers: stream });
    const events = eventsOf(response);
    await nextEvent(events, "snapshot");
    store.changesSince = () => Promise.reject(new Error("secret path"));
    await store.write([lateSpan({ spans: running, executionId })]);
    const rest = [];
    for await (const event of events) rest.push(JSON.stringify(event));
    expect(rest.join()).not.toMatch(/secret|"end"/);
    expect(errors).toHaveLength(1);
  });
});

describe("a node:http server", () => {
  test("takes writes and answers through the store's own client", async () => {
    const { url } = await listen({ pipeline: false });
    const client = createHttpStore({ baseUrl: url });
    const span = makeSpan({ executionId: "a/b %2F ключ", output: textContent("x".repeat(100_000)) });
    expect(await client.write([span])).toEqual({ written: 1, unchanged: 0, rejected: [] });
    expect(await client.getSpan(span.executionId, span.spanId)).toEqual(span);
  });

  test("a body above the limit is refused although the client goes on sending", async () => {
    const { url } = await listen({ limits: { requestBytes: 1_000 } });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
    });
    const init = {
      method: "POST",
      body: endless,
      duplex: "half",
      headers: { "content-type": "application/json" },
    };
    const outcome = await fetch(`${url}/spans`, init as RequestInit).then(
      (response) => response.status,
      () => "connection closed",
    );
    expect([413, "connection closed"]).toContain(outcome);
  });

  test("garbage in the request line or Host is a 400, and the server lives on", async () => {
    const { url, port } = await listen();
    const socket = connect(port, "127.0.0.1");
    socket.end("GET /executions HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n");
    let answer = "";
    for await (const chunk of socket.setEncoding("utf8")) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect((await fetch(`${url}/executions`)).status).toBe(200);
  });

  test("the host's Request and Response stay its own", async () => {
    const [request, response] = [globalThis.Request, globalThis.Response];
    await listen();
    expect([globalThis.Request, globalThis.Response]).toEqual([request, response]);
  });
});

/** A count once it has stayed the same for several turns of the event loop. */
async function untilSteady(count: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 200; same++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (count() !== last || last === 0) same = 0;
    last = count();
  }
  return last;
}
