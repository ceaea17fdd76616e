import { type ScopedStore, SpanloomError } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { MemoryBacking } from "../memory/memory-backing.ts";
import { createBackedStore } from "./backed-store.ts";
import type { Backing } from "./backing.ts";
import type { LedgerChanges } from "./changes.ts";

const CAPABILITIES = {
  durability: "memory",
  concurrentWriters: false,
  crossProcessReads: false,
  erasure: "immediate",
  provenSpansPerExecution: 1_000,
} as const;

const EVERYTHING = { before: String(2n ** 63n - 1n) };

test("a scope that cannot be pruned keeps no other from it, and says so", async () => {
  const broken = new SpanloomError("store_failed", { what: "This one is broken." });
  const names = ["first", "broken", "last"];
  const store = createBackedStore({
    name: "partly broken",
    capabilities: CAPABILITIES,
    retention: false,
    backing: (scope) =>
      scope === "broken"
        ? Object.assign(new MemoryBacking(), { setWatermark: () => Promise.reject(broken) })
        : new MemoryBacking(),
    scopes: async () => names,
    close: async () => {},
  });
  for (const name of names) await store.forScope(name).write([makeSpan()]);
  expect(await store.prune({ ...EVERYTHING, limit: 1 })).toMatchObject({ executions: 1, more: true });
  await expect(store.prune(EVERYTHING)).rejects.toBe(broken);
  const left = await Promise.all(
    names.map(async (name) => (await store.forScope(name).listExecutions()).items.length),
  );
  expect(left).toEqual([0, 1, 0]);
  await store.close();
});

test("a record that is written anew while it is read is read again", async () => {
  /** Its first answer comes while the record is nowhere, as for whoever reads what another process erases. */
  class MovingBacking extends MemoryBacking {
    private asked = 0;

    override async records(...[refs, view]: Parameters<MemoryBacking["records"]>) {
      const texts = await super.records(refs, view);
      return this.asked++ === 0 ? texts.map((text, index) => (index === 1 ? undefined : text)) : texts;
    }
  }
  const store = createBackedStore({
    name: "moving",
    capabilities: CAPABILITIES,
    retention: false,
    backing: () => new MovingBacking(),
    scopes: async () => [],
    close: async () => {},
  });
  const spans = [1, 2, 3].map((number) => makeSpan({ spanId: String(number).padStart(16, "0") }));
  const reads = {
    getTrace: async (traces: ScopedStore, id: string) => (await traces.getTrace(id))?.spans.length,
    changesSince: async (traces: ScopedStore, id: string) => (await traces.changesSince(id, 0))?.spans.length,
    searchSpans: async (traces: ScopedStore, id: string) =>
      (await traces.searchSpans(id, { text: spans[0]?.name ?? "" }))?.items.length,
  };
  for (const [name, read] of Object.entries(reads)) {
    const traces = store.forScope(name);
    await traces.write(spans);
    expect(await read(traces, spans[0]?.executionId ?? ""), name).toBe(3);
  }
  await store.close();
});

test("whatever changes something sees first what others wrote", async () => {
  const calls: string[] = [];
  class ToldBacking extends MemoryBacking implements Backing {
    async exclusive<T>(work: () => Promise<T>): Promise<T> {
      calls.push("begin");
      return work();
    }
    async refresh(): Promise<void> {
      calls.push("refresh");
    }
    async erase(): Promise<void> {
      calls.push("erase");
    }
    override async save(changes: LedgerChanges): Promise<void> {
      calls.push("save");
      await super.save(changes);
    }
    override async executionIds(): Promise<string[]> {
      calls.push("executionIds");
      return super.executionIds();
    }
    override async setWatermark(before: string): Promise<void> {
      calls.push("setWatermark");
      await super.setWatermark(before);
    }
  }
  const store = createBackedStore({
    name: "told",
    capabilities: CAPABILITIES,
    retention: false,
    backing: () => new ToldBacking(),
    scopes: async () => ["scope"],
    close: async () => {},
  });
  const traces = store.forScope("scope");
  const span = makeSpan();
  await traces.write([span]);
  await traces.redact((record) => ({ ...record, name: "redacted" }));
  await traces.recompute();
  await traces.deleteExecution(span.executionId);
  await traces.prune(EVERYTHING);
  const first = calls.flatMap((call, index) => (call === "begin" ? [calls[index + 1]] : []));
  expect(first).toEqual(Array(6).fill("refresh"));
  expect(calls.filter((call) => call === "erase")).toHaveLength(2);
  await store.close();
});
