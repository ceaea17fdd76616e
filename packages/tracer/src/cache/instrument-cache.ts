import { SpanloomError } from "@spanloom/model";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { CommandWatch } from "./command-watch.ts";
import { createKeyspaces } from "./keyspaces.ts";

export interface CacheOptions {
  /** Families of keys, such as `amtp:mcp:tree:*`, as the server sees them (behind a `keyPrefix`). The longest match counts. */
  keyspaces: readonly string[];
  tracer: WorkflowTracer;
}

/** A client of ioredis or iovalkey, of one server or of a cluster, by what is used of it. */
export interface CacheClient {
  sendCommand(...args: never[]): unknown;
  pipeline(...args: never[]): unknown;
}

/**
 * Counts hits and misses of the client's reads by keyspace, on the span that is active where a command is called, and
 * gives the same client back. Reads are GET, GETEX, GETDEL, MGET, HGET, HMGET, HGETALL, HEXISTS and EXISTS in every form:
 * buffers, callbacks, `call`, pipelines and transactions. Values are neither read nor kept; what commands give and throw
 * is untouched. Outside spans nothing is counted, and so is what comes after its span has ended.
 *
 * Throws `invalid_argument` for a client of another kind.
 */
export function instrumentCache<C extends CacheClient>(client: C, { keyspaces, tracer }: CacheOptions): C {
  if (typeof client?.sendCommand !== "function" || typeof client.pipeline !== "function") {
    throw new SpanloomError("invalid_argument", {
      what: "The client is neither one of ioredis nor of iovalkey.",
      fix: "Give `instrumentCache` such a client, or report accesses yourself: `span.cache({ keyspace, hits, misses })`.",
    });
  }
  const watch = new CommandWatch(createKeyspaces(keyspaces), tracer);
  instrumented.get(client)?.();
  const watchPipeline = (pipeline: unknown): void => {
    if (hasCommands(pipeline)) before(pipeline, "sendCommand", (command) => watch.queued(command));
  };
  const undo = [
    before(client, "sendCommand", (command) => watch.sent(command)),
    after(client, "pipeline", watchPipeline),
    after(client, "multi", watchPipeline),
  ];
  instrumented.set(client, () => {
    for (const step of undo) step();
  });
  return client;
}

/** How to take the instrumentation off a client that gets another. */
const instrumented = new WeakMap<object, () => void>();

/** Calls `look` with the first argument before each call of the method. Gives the way back. */
function before(target: object, method: string, look: (argument: unknown) => void): () => void {
  return replace(target, method, (own, self, args) => {
    look(args[0]);
    return Reflect.apply(own, self, args);
  });
}

/** Calls `look` with what the method gave. */
function after(target: object, method: string, look: (result: unknown) => void): () => void {
  return replace(target, method, (own, self, args) => {
    const result: unknown = Reflect.apply(own, self, args);
    look(result);
    return result;
  });
}

type Method = (...args: unknown[]) => unknown;

function replace(
  target: object,
  method: string,
  call: (own: Method, self: unknown, args: unknown[]) => unknown,
): () => void {
  const own: unknown = Reflect.get(target, method);
  const descriptor = Object.getOwnPropertyDescriptor(target, method);
  if (typeof own !== "function") return () => undefined;
  const value = function (this: unknown, ...args: unknown[]): unknown {
    return call(own as Method, this, args);
  };
  Object.defineProperty(target, method, { value, configurable: true, writable: true, enumerable: false });
  return () => {
    if (descriptor === undefined) Reflect.deleteProperty(target, method);
    else Object.defineProperty(target, method, descriptor);
  };
}

/** `multi({ pipeline: false })` gives a promise. */
function hasCommands(value: unknown): value is object {
  return typeof value === "object" && value !== null && "sendCommand" in value;
}
