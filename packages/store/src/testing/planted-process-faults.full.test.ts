import type { ScopedStore, SpanRecord, StoreCapabilities } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import { randomHistory } from "./index.ts";
import { type LogFault, logProcesses, openLogged } from "./logged-store.test-support.ts";
import { createPlainStore, PLAIN_CAPABILITIES, PlainScope } from "./plain-store.test-support.ts";
import { type Fault, logging, runKit, scoped, testFaults, wrapped } from "./plant-fault.test-support.ts";

const PROCESSES = { durable: true, concurrentWriters: true };

function logged(chapter: string, fault: LogFault): Fault {
  const open = (): ReturnType<typeof openLogged> => openLogged(fault);
  return { name: fault, chapter, open, processes: logProcesses(fault), features: PROCESSES };
}

/** A plain store that says something else of itself. */
function claiming(said: Partial<StoreCapabilities>): Fault["open"] {
  return wrapped(() => ({ capabilities: { ...PLAIN_CAPABILITIES, ...said } }));
}

const written = randomHistory(41).batches;

/** A store over older data. */
function upgraded(
  change: (spans: SpanRecord[]) => SpanRecord[],
  replace: (store: ScopedStore) => object = () => ({}),
): Pick<Fault, "open" | "oldSchemas"> {
  const openPlain = wrapped(replace);
  const open = async (): Promise<Awaited<ReturnType<Fault["open"]>>> => {
    const store = openPlain();
    for (const batch of written) await (await store).forScope("upgrade").write(change(batch));
    return store;
  };
  return { open: openPlain, oldSchemas: [{ version: "0.9", written, open }] };
}

const faults: Fault[] = [
  {
    name: "a write starts from what was there before another one ended",
    chapter: "concurrency",
    open: scoped(
      class extends PlainScope {
        override async write(spans: readonly SpanRecord[]): ReturnType<PlainScope["write"]> {
          const before = new Map(this.records);
          await new Promise((resolve) => setTimeout(resolve, 1));
          this.records = before;
          return super.write(spans);
        }
      },
    ),
  },
  {
    name: "a receipt counts what was given",
    chapter: "concurrency",
    open: wrapped((store) => ({
      async write(spans: readonly SpanRecord[]) {
        const { rejected } = await store.write(spans);
        return { written: spans.length - rejected.length, unchanged: 0, rejected };
      },
    })),
  },
  logged("crash", "acknowledges early"),
  logged("crash", "forgets deletions"),
  logged("several processes", "never looks again"),
  logged("several processes", "writes the whole file"),
  logged("several processes", "forgets deletions"),
  logged("claims", "acknowledges early"),
  logged("claims", "never looks again"),
  {
    name: "the last write of the older version is lost",
    chapter: "upgrade",
    ...upgraded((spans) => (spans === written.at(-1) ? [] : spans)),
  },
  {
    name: "a field is lost on the way",
    chapter: "upgrade",
    ...upgraded((spans) => spans.map(({ threadId, nodeId, ...one }) => one)),
  },
  {
    name: "old spans cannot be searched",
    chapter: "upgrade",
    ...upgraded(
      (spans) => spans,
      () => ({ searchSpans: async () => ({ items: [], asOfSeq: 1 }) }),
    ),
  },
  {
    name: "a capability is not declared",
    chapter: "claims",
    open: claiming({ erasure: undefined } as unknown as Partial<StoreCapabilities>),
  },
  {
    name: "what survives nothing claims to be durable",
    chapter: "claims",
    open: () => {
      let store = createPlainStore();
      return {
        forScope: (scope) =>
          Object.assign(Object.create(store.forScope(scope)) as ScopedStore, {
            capabilities: { ...PLAIN_CAPABILITIES, durability: "power-loss" },
          }),
        close: () => store.close(),
        reopen: async () => {
          store = createPlainStore();
        },
      };
    },
  },
  {
    name: "what keeps a log claims to erase at once",
    chapter: "claims",
    open: logging,
  },
];

describe("the conformance kit", () => {
  testFaults(faults);

  for (const chapter of ["several processes", "crash", "durability", "claims", "concurrency"]) {
    test(`${chapter}: passes a store over a log, in processes that really run`, {
      timeout: 120_000,
    }, async () => {
      const log = { open: openLogged, processes: logProcesses(), features: PROCESSES, kills: 2 };
      const { failed, ran } = await runKit({ ...log, open: () => openLogged() }, chapter);
      expect(failed).toEqual([]);
      expect(ran).toBeGreaterThan(2);
    });
  }

  test("upgrade: passes a store over data that is whole", async () => {
    const { failed, ran } = await runKit(
      upgraded((spans) => spans),
      "upgrade",
    );
    expect({ failed, ran }).toEqual({ failed: [], ran: 3 });
  });
});
