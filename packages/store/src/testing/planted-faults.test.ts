import {
  addUsage,
  decodeCursor,
  type ExecutionDetail,
  emptyUsageSum,
  encodeCursor,
  hasTokens,
  recordProblem,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type TraceChanges,
  type TraceReader,
} from "@spanloom/model";
import { describe, expect, test } from "vitest";
import type { OpenStore } from "./index.ts";
import { createPlainStore, PlainScope } from "./plain-store.test-support.ts";
import { type Fault, runKit, scoped, testFaults, wrapped } from "./plant-fault.test-support.ts";

const faults: Fault[] = [
  {
    name: "the record that comes last wins",
    chapter: "writes and merge",
    open: scoped(
      class extends PlainScope {
        protected override wins(): boolean {
          return true;
        }
      },
    ),
  },
  {
    name: "the record that comes first stays",
    chapter: "writes and merge",
    open: scoped(
      class extends PlainScope {
        protected override wins(): boolean {
          return false;
        }
      },
    ),
  },
  {
    name: "the record that comes last wins, in random histories",
    chapter: "order and duplicates",
    open: scoped(
      class extends PlainScope {
        protected override wins(): boolean {
          return true;
        }
      },
    ),
  },
  {
    name: "parents count what their children used",
    chapter: "order and duplicates",
    open: scoped(
      class extends PlainScope {
        protected override detail(executionId: string): ExecutionDetail {
          const detail = super.detail(executionId);
          detail.usage = emptyUsageSum();
          for (const { usage } of this.spansOf(executionId))
            if (hasTokens(usage)) addUsage(detail.usage, usage);
          return detail;
        }
      },
    ),
  },
  {
    name: "sums that another execution changed keep their seq",
    chapter: "changes since",
    open: scoped(
      class extends PlainScope {
        protected override disturbed(): Set<string> {
          return new Set();
        }
      },
    ),
  },
  {
    name: "unnamed spans stay where they are",
    chapter: "late names",
    open: scoped(
      class extends PlainScope {
        protected override read(records: Iterable<SpanRecord>): SpanRecord[] {
          return [...records];
        }
      },
    ),
  },
  {
    name: "late spans bring a deleted execution back",
    chapter: "deletion",
    open: scoped(
      class extends PlainScope {
        override async deleteExecution(executionId: string): Promise<boolean> {
          const found = await super.deleteExecution(executionId);
          this.deletedExecutions.clear();
          return found;
        }
      },
    ),
  },
  {
    name: "late unnamed spans bring a deleted execution back",
    chapter: "deletion",
    open: scoped(
      class extends PlainScope {
        override async deleteExecution(executionId: string): Promise<boolean> {
          const found = await super.deleteExecution(executionId);
          this.deletedTraces.clear();
          return found;
        }
      },
    ),
  },
  {
    name: "all scopes share one keeper",
    chapter: "scopes",
    open: () => {
      const shared = new PlainScope("shared");
      return createPlainStore(() => shared);
    },
  },
  {
    name: "scopes are told apart without regard to case",
    chapter: "scopes",
    open: () => {
      const store = createPlainStore();
      return { forScope: (scope) => store.forScope(scope.toLowerCase()), close: () => store.close() };
    },
  },
  {
    name: "pages are cut from the trace as it is now",
    chapter: "pages and cursors",
    open: wrapped((store) => ({
      async getTrace(executionId: string, query: Parameters<TraceReader["getTrace"]>[1] = {}) {
        const { cursor, asOfSeq: _, limit = 10_000, ...rest } = query;
        const whole = await store.getTrace(executionId, rest);
        const from = cursor === undefined ? 0 : Number(decodeCursor(cursor));
        if (whole === undefined || Number.isNaN(from)) return whole;
        const spans = whole.spans.slice(from, from + limit);
        const more = from + limit < whole.spans.length;
        return { ...whole, spans, ...(more && { nextCursor: encodeCursor(from + limit) }) };
      },
    })),
  },
  {
    name: "a page has as many spans as were asked for, however large they are",
    chapter: "pages and cursors",
    open: wrapped((store) => ({
      async getTrace(executionId: string, query: Parameters<TraceReader["getTrace"]>[1] = {}) {
        const { limit = query.view === "full" ? 500 : 10_000 } = query;
        let page = await store.getTrace(executionId, query);
        while (page?.nextCursor !== undefined && page.spans.length < limit) {
          const rest = { ...query, limit: limit - page.spans.length, cursor: page.nextCursor };
          const next = await store.getTrace(executionId, rest);
          page = next && { ...next, spans: [...page.spans, ...next.spans] };
        }
        return page;
      },
    })),
  },
  {
    name: "the feed gives as many spans as were asked for, however large they are",
    chapter: "changes since",
    open: wrapped((store) => ({
      async changesSince(executionId: string, seq: number, options: { limit?: number } = {}) {
        const { limit = 500 } = options;
        let changes = await store.changesSince(executionId, seq, options);
        for (let got = sizeOf(changes); changes?.more && got < limit; got = sizeOf(changes)) {
          const next = await store.changesSince(executionId, changes.seq, { limit: limit - got });
          const { spans, removed } = changes;
          changes = next && {
            ...next,
            spans: [...spans, ...next.spans],
            removed: [...removed, ...next.removed],
          };
        }
        return changes;
      },
    })),
  },
  {
    name: "the feed forgets what went away",
    chapter: "changes since",
    open: wrapped((store) => ({
      async changesSince(...args: Parameters<TraceReader["changesSince"]>) {
        const changes = await store.changesSince(...args);
        return changes && { ...changes, removed: [] };
      },
    })),
  },
  {
    name: "the feed cuts a write at the limit and loses the rest",
    chapter: "changes since",
    open: wrapped((store) => ({
      async changesSince(executionId: string, seq: number, options: { limit?: number } = {}) {
        const changes = await store.changesSince(executionId, seq, options);
        return changes && { ...changes, seq: changes.execution.seq, more: false };
      },
    })),
  },
  {
    name: "a stopped watcher is still woken",
    chapter: "changes since",
    open: wrapped((store) => ({
      watch(executionId: string, wake: () => void) {
        store.watch?.(executionId, wake);
        return () => undefined;
      },
    })),
  },
  {
    name: "the list is paged by offset",
    chapter: "listing",
    open: wrapped((store) => ({
      async listExecutions({
        cursor,
        limit = 50,
        ...query
      }: Parameters<TraceReader["listExecutions"]>[0] = {}) {
        const from = cursor === undefined ? 0 : Number(decodeCursor(cursor));
        const { items } = await store.listExecutions({ ...query, limit: 500 });
        const more = from + limit < items.length;
        return {
          items: items.slice(from, from + limit),
          ...(more && { nextCursor: encodeCursor(from + limit) }),
        };
      },
    })),
  },
  {
    name: "text is matched as a pattern",
    chapter: "listing",
    open: wrapped((store) => ({
      async listExecutions(query: Parameters<TraceReader["listExecutions"]>[0] = {}) {
        const { text, ...rest } = query;
        return store.listExecutions(text?.includes("%") || text?.includes("*") ? rest : query);
      },
    })),
  },
  {
    name: "days are cut in UTC",
    chapter: "analytics parity",
    open: wrapped((store) => ({
      async getDailyCosts(query: Parameters<TraceReader["getDailyCosts"]>[0]) {
        const { timeZone } = await store.getDailyCosts(query);
        return { ...(await store.getDailyCosts({ ...query, timeZone: "UTC" })), timeZone };
      },
    })),
  },
  {
    name: "unknown cost is free",
    chapter: "analytics parity",
    open: wrapped((store) => ({
      async getDailyCosts(query: Parameters<TraceReader["getDailyCosts"]>[0]) {
        const costs = await store.getDailyCosts(query);
        for (const { cost } of costs.days) cost.nanoUsd ??= 0;
        return costs;
      },
    })),
  },
  {
    name: "one bad record fails its whole write",
    chapter: "poison records",
    open: wrapped((store) => ({
      async write(spans: Parameters<ScopedStore["write"]>[0]) {
        const problem = spans.map(recordProblem).find((found) => found !== undefined);
        if (problem !== undefined) throw new SpanloomError("invalid_record", { what: problem });
        return store.write(spans);
      },
    })),
  },
  {
    name: "readers get the stored object itself",
    chapter: "hostile input",
    open: wrapped((store) => {
      const held = new Map<string, ReturnType<ScopedStore["getSpan"]>>();
      return {
        getSpan(...args: Parameters<ScopedStore["getSpan"]>) {
          const key = args.join("/");
          const span = held.get(key) ?? store.getSpan(...args);
          held.set(key, span);
          return span;
        },
      };
    }),
  },
  {
    name: "a closed store goes on answering",
    chapter: "durability",
    open: () => ({ ...createPlainStore(), close: async () => undefined }),
  },
  {
    name: "nothing survives a reopen",
    chapter: "durability",
    features: { durable: true },
    open: () => {
      let store = createPlainStore();
      return {
        forScope: (scope) => store.forScope(scope),
        close: () => store.close(),
        reopen: async () => {
          store = createPlainStore();
        },
      };
    },
  },
];

describe("the conformance kit", () => {
  testFaults(faults);

  test("passes a store without a fault, also through the wrapper that plants them", {
    timeout: 120_000,
  }, async () => {
    const { failed, ran } = await runKit({ open: wrapped(() => ({})), histories: 2 });
    expect(failed).toEqual([]);
    expect(ran).toBeGreaterThan(60);
  });

  test("passes a store that survives a reopen", async () => {
    const durable = (): OpenStore => ({ ...createPlainStore(), reopen: async () => undefined });
    expect(await runKit({ open: durable, features: { durable: true } }, "durability")).toEqual({
      failed: [],
      ran: 5,
    });
  });
});

function sizeOf(changes: TraceChanges | undefined): number {
  return changes === undefined ? 0 : changes.spans.length + changes.removed.length;
}
