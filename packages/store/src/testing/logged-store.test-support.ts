import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { JsonValue, ScopedStore, StoreCapabilities, TraceStore } from "@spanloom/model";
import { redactStored } from "../redact-stored.ts";
import type { OpenStore, TestedProcesses } from "./index.ts";
import { createPlainStore } from "./plain-store.test-support.ts";

/** What is wrong with the store. */
export type LogFault =
  /** Says that something is stored while it is still in memory. */
  | "acknowledges early"
  /** Reads what others wrote only when it is opened. */
  | "never looks again"
  /** Reads the file, adds to it and writes it whole. */
  | "writes the whole file"
  /** Does not write down what was deleted. */
  | "forgets deletions";

const CAPABILITIES: StoreCapabilities = {
  durability: "process-crash",
  concurrentWriters: true,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 1_000,
};

/** The kit's way to it, in a folder of its own for every test. */
export function logProcesses(fault?: LogFault): TestedProcesses {
  return {
    module: new URL("./logged-store.test-support.ts", import.meta.url).href,
    config: async () => ({ path: await newPath(), ...(fault && { fault }) }),
    remove: (config) => removePath((config as { path: string }).path),
  };
}

export async function openLogged(fault?: LogFault): Promise<OpenStore> {
  const path = await newPath();
  let store = openLog(path, fault);
  return {
    forScope: (scope) => store.forScope(scope),
    prune: (request) => store.prune(request),
    async reopen() {
      await store.close();
      store = openLog(path, fault);
    },
    async close() {
      await store.close();
      await removePath(path);
    },
  };
}

export function open(config: JsonValue): TraceStore {
  const { path, fault } = config as { path: string; fault?: LogFault };
  return openLog(path, fault);
}

interface Line {
  id: string;
  scope: string;
  method: "write" | "deleteExecution" | "prune";
  args: unknown[];
}

/**
 * The plain store in several processes and after a crash: every change stands as a line in one file, and every process
 * makes the same changes in the same order.
 */
function openLog(path: string, fault: LogFault | undefined): TraceStore {
  const plain = createPlainStore();
  const results = new Map<string, unknown>();
  let closed = false;
  let known = 0;
  let looked = false;
  const underWay = new Set<Promise<unknown>>();
  let replaying: Promise<void> = Promise.resolve();

  const apply = (line: Line): Promise<unknown> => {
    const handle = plain.forScope(line.scope);
    return (handle[line.method] as (...args: unknown[]) => Promise<unknown>).apply(handle, line.args);
  };
  const catchUp = (): Promise<void> => {
    replaying = replaying.then(async () => {
      if (closed || (fault === "never looks again" && looked)) return;
      looked = true;
      const text = readFileSync(path, "utf8");
      const news = text.slice(known, text.lastIndexOf("\n") + 1);
      known += news.length;
      for (const json of news.split("\n")) {
        if (json === "") continue;
        const line = JSON.parse(json) as Line;
        results.set(line.id, await apply(line));
      }
    });
    return replaying;
  };
  const change = async (line: Line): Promise<unknown> => {
    await catchUp();
    const text = `${JSON.stringify(line)}\n`;
    if (fault === "acknowledges early") {
      setTimeout(() => appendFileSync(path, text), 20);
      return apply({ ...line, args: structuredClone(line.args) });
    }
    if (fault === "never looks again") appendFileSync(path, text);
    if (fault === "never looks again" || (fault === "forgets deletions" && line.method === "deleteExecution"))
      return apply(line);
    if (fault === "writes the whole file") writeFileSync(path, readFileSync(path, "utf8") + text);
    else appendFileSync(path, text);
    await catchUp();
    return results.get(line.id);
  };

  return {
    name: "logged",
    capabilities: CAPABILITIES,
    async prune(request) {
      await catchUp();
      return plain.prune(request);
    },
    async close() {
      await Promise.allSettled(underWay);
      closed = true;
      await plain.close();
    },
    forScope(scope) {
      const held = plain.forScope(scope);
      const handle: ScopedStore = new Proxy(held, {
        get(_, key) {
          if (key === "capabilities") return CAPABILITIES;
          if (key === "write" || key === "deleteExecution" || key === "prune") {
            return async (...args: unknown[]): Promise<unknown> => {
              if (closed) return apply({ id: "", scope, method: key, args });
              const done = change({ id: crypto.randomUUID(), scope, method: key, args });
              underWay.add(done);
              return done.finally(() => underWay.delete(done));
            };
          }
          if (key === "redact")
            return (...args: Parameters<ScopedStore["redact"]>) => redactStored(handle, ...args);
          const value: unknown = Reflect.get(held, key);
          if (typeof value !== "function" || key === "watch") return value;
          return async (...args: unknown[]): Promise<unknown> => {
            await catchUp();
            return value.apply(held, args);
          };
        },
      });
      return handle;
    },
  };
}

async function newPath(): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "spanloom-log-")), "calls.jsonl");
  writeFileSync(path, "");
  return path;
}

function removePath(path: string): Promise<void> {
  return rm(dirname(path), { recursive: true, force: true });
}
