import { type ScopedStore, SpanloomError, type SpanRecord, type WriteReceipt } from "@spanloom/model";
import { describe } from "vitest";
import { PlainScope } from "./plain-store.test-support.ts";
import { type Fault, scoped, testFaults, wrapped } from "./plant-fault.test-support.ts";

/** A store that writes something else than it was given. */
function writing(change: (record: SpanRecord) => SpanRecord): Fault["open"] {
  return wrapped((store) => ({
    write: (spans: readonly SpanRecord[]) =>
      store.write(spans.map((one) => (typeof one === "object" && one !== null ? change(one) : one))),
  }));
}

/** A store that takes some ids for others, wherever they are given. */
function mistaking(change: (id: string) => string): Fault["open"] {
  return wrapped((store) => {
    const methods = [
      "getExecution",
      "getTrace",
      "getSpan",
      "changesSince",
      "searchSpans",
      "getRunMetrics",
    ] as const;
    const reading = methods.map((name) => [
      name,
      (id: string, ...rest: unknown[]): unknown =>
        (store[name] as (...args: unknown[]) => unknown).call(store, change(id), ...rest),
    ]);
    return {
      ...Object.fromEntries(reading),
      write: (spans: readonly SpanRecord[]) =>
        store.write(spans.map((one) => ({ ...one, executionId: change(one.executionId) }))),
    };
  });
}

function answering(change: (receipt: WriteReceipt, store: ScopedStore) => WriteReceipt): Fault["open"] {
  return wrapped((store) => ({
    write: async (spans: readonly SpanRecord[]) => change(await store.write(spans), store),
  }));
}

const poisonFaults: Fault[] = [
  {
    name: "artifacts are not looked at",
    chapter: "poison records",
    open: scoped(
      class extends PlainScope {
        protected override problemOf(given: unknown): string | undefined {
          const problem = super.problemOf(given);
          return problem?.startsWith("artifacts") ? undefined : problem;
        }
      },
    ),
  },
  {
    name: "what cannot be stored is left out without a word",
    chapter: "poison records",
    open: answering((receipt) => ({ ...receipt, rejected: [] })),
  },
  {
    name: "places are counted among the refused",
    chapter: "poison records",
    open: answering((receipt) => ({
      ...receipt,
      rejected: receipt.rejected.map((one, index) => ({ ...one, index })),
    })),
  },
  {
    name: "the message repeats the record",
    chapter: "poison records",
    open: answering((receipt) => ({
      ...receipt,
      rejected: receipt.rejected.map((one) => ({ ...one, message: one.message.repeat(50) })),
    })),
  },
  {
    name: "nobody learns which field it was",
    chapter: "poison records",
    open: answering((receipt) => ({
      ...receipt,
      rejected: receipt.rejected.map((one) => ({ ...one, message: "invalid" })),
    })),
  },
];

const idFaults: Fault[] = [
  ["ids are told apart without regard to case", (id: string) => id.toLowerCase()],
  ["ids are brought into one normal form", (id: string) => id.normalize("NFC")],
  ["look-alikes become one", (id: string) => id.normalize("NFKC")],
  ["ids end at a NUL", (id: string) => id.split("\u0000")[0] || "empty"],
  ["ids are trimmed", (id: string) => id.trim() || "empty"],
  ["dots at the end are dropped, as file systems do", (id: string) => id.replace(/\.+$/, "") || "empty"],
  [
    "what is no letter or digit becomes a line, as in file names",
    (id: string) => id.replaceAll(/[^\p{L}\p{N}]/gu, "_"),
  ],
  ["ids are cut at 100 characters", (id: string) => id.slice(0, 100)],
  ["paths are resolved", (id: string) => (id.includes("..") && id.includes("/") ? "passwd" : id)],
].map(([name, change]) => ({
  name: name as string,
  chapter: "hostile ids",
  open: mistaking(change as (id: string) => string),
}));

const clockFaults: Fault[] = [
  {
    name: "an end before the start becomes the start",
    chapter: "clock skew",
    open: writing((record) =>
      record.endTime !== undefined && BigInt(record.endTime) < BigInt(record.startTime)
        ? { ...record, endTime: record.startTime }
        : record,
    ),
  },
  {
    name: "times go through floating-point milliseconds",
    chapter: "clock skew",
    open: writing((record) => ({
      ...record,
      startTime: `${Math.round(Number(record.startTime) / 1e6)}000000`,
    })),
  },
  {
    name: "spans from the future are refused",
    chapter: "clock skew",
    open: wrapped((store) => ({
      write(spans: readonly SpanRecord[]) {
        const year = 31_536_000_000_000_000n;
        if (spans.some((one) => BigInt(one.startTime) > BigInt(Date.now()) * 1_000_000n + 10n * year)) {
          throw new SpanloomError("invalid_record", { what: "A span lies in the future." });
        }
        return store.write(spans);
      },
    })),
  },
  {
    name: "a span that begins before its parent is no child of it",
    chapter: "clock skew",
    open: wrapped((store) => {
      const starts = new Map<string, string>();
      return {
        write(spans: readonly SpanRecord[]) {
          for (const one of spans) starts.set(one.spanId, one.startTime);
          return store.write(
            spans.map(({ parentSpanId, ...one }) => {
              const start = parentSpanId === undefined ? undefined : starts.get(parentSpanId);
              const early = start !== undefined && BigInt(one.startTime) < BigInt(start);
              return early || parentSpanId === undefined ? one : { ...one, parentSpanId };
            }),
          );
        },
      };
    }),
  },
];

const hostileFaults: Fault[] = [
  {
    name: "records are read when their turn comes, not when they are given",
    chapter: "hostile input",
    open: wrapped((store) => ({
      async write(spans: readonly SpanRecord[]) {
        await Promise.resolve();
        return store.write(spans);
      },
    })),
  },
  {
    name: "keys that a program calls its own are dropped",
    chapter: "hostile input",
    open: writing((record) => {
      const { ["__proto__" as string]: _, ...attributes } = record.attributes ?? {};
      return { ...record, attributes };
    }),
  },
];

describe("the conformance kit", () =>
  testFaults([...poisonFaults, ...idFaults, ...clockFaults, ...hostileFaults]));
