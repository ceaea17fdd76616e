import type { ScopedStore, SpanRecord } from "@spanloom/model";
import { expect, test } from "vitest";
import {
  type ConformanceOptions,
  type ConformanceReport,
  type OpenStore,
  storeConformance,
} from "./index.ts";
import { createPlainStore, type PlainScope } from "./plain-store.test-support.ts";

/** A store with one fault that adapters really have had. The kit is worth what it catches. */
export interface Fault
  extends Pick<ConformanceOptions, "features" | "histories" | "processes" | "oldSchemas" | "kills"> {
  name: string;
  /** The chapter that must notice. */
  chapter: string;
  open: () => OpenStore | Promise<OpenStore>;
}

export function testFaults(faults: readonly Fault[]): void {
  for (const fault of faults) {
    test(`${fault.chapter} catches: ${fault.name}`, { timeout: 60_000 }, async () => {
      const { failed, ran } = await runKit(fault, fault.chapter, { untilFailure: true });
      expect(ran).toBeGreaterThan(0);
      expect(failed).not.toEqual([]);
    });
  }
}

/** A plain store with another kind of scope. */
export function scoped(Scope: typeof PlainScope): () => OpenStore {
  return () => createPlainStore((scope) => new Scope(scope));
}

/** A plain store some of whose methods are replaced. */
export function wrapped(replace: (store: ScopedStore) => object): () => OpenStore {
  return () => {
    const store = createPlainStore();
    const handles = new Map<string, ScopedStore>();
    return {
      forScope(scope) {
        const sound = store.forScope(scope);
        const handle = handles.get(scope) ?? new Proxy(sound, { get: getterOf(sound, replace(sound)) });
        handles.set(scope, handle);
        return handle;
      },
      prune: (request) => store.prune(request),
      close: () => store.close(),
    };
  };
}

function getterOf(
  sound: ScopedStore,
  replaced: object,
): (target: ScopedStore, key: string | symbol) => unknown {
  return (_, key) => {
    const value: unknown = Reflect.get(key in replaced ? replaced : sound, key);
    return typeof value === "function" && !(key in replaced) ? value.bind(sound) : value;
  };
}

/** A store that never lets go of a byte. */
export function logging(): OpenStore {
  const log: Uint8Array[] = [];
  const open = wrapped((store) => ({
    write(spans: readonly SpanRecord[]) {
      log.push(Buffer.from(JSON.stringify(spans)));
      return store.write(spans);
    },
  }));
  return { ...open(), bytesOf: async () => Buffer.concat(log) };
}

/** Runs the kit (or one chapter) with a runner of our own, and gives the names of the tests that failed. */
export async function runKit(
  { name: _, chapter: __, open, ...options }: Partial<Fault> & Pick<Fault, "open">,
  chapter?: string,
  { untilFailure = false } = {},
): Promise<{ failed: string[]; ran: number; report?: ConformanceReport }> {
  const tests: [name: string, body: () => Promise<void>][] = [];
  let wanted = true;
  let report: ConformanceReport | undefined;
  storeConformance({
    name: "faulty",
    runner: {
      describe(name, body) {
        wanted = chapter === undefined || name === `faulty: ${chapter}`;
        body();
      },
      test(name, body) {
        if (wanted) tests.push([name, body]);
      },
    },
    open: async () => open(),
    histories: 8,
    ...options,
    report(told) {
      report = told;
    },
  });
  const failed: string[] = [];
  for (const [name, body] of tests) {
    await body().catch(() => failed.push(name));
    if (untilFailure && failed.length > 0) break;
  }
  return { failed, ran: tests.length, ...(report && { report }) };
}
