import {
  nanosFromMillis,
  type PruneReport,
  type PruneRequest,
  type ScopedStore,
  type SpanRecord,
} from "@spanloom/model";
import { describe } from "vitest";
import type { OpenStore } from "./index.ts";
import { createPlainStore, PlainScope } from "./plain-store.test-support.ts";
import { type Fault, logging, scoped, testFaults } from "./plant-fault.test-support.ts";

const retentionFaults: Fault[] = [
  {
    name: "age is that of the start",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override isOld({ startTime }: SpanRecord, before: string): boolean {
          return BigInt(startTime) < BigInt(before);
        }
      },
    ),
  },
  {
    name: "what never ended stays for ever",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override isOld(span: SpanRecord, before: string): boolean {
          return span.endTime !== undefined && super.isOld(span, before);
        }
      },
    ),
  },
  {
    name: "executions leave one by one, whatever trace they share",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override components(): string[][] {
          return super
            .components()
            .flat()
            .map((id) => [id]);
        }
      },
    ),
  },
  {
    name: "sums leave with the spans",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override keep(): void {}
      },
    ),
  },
  {
    name: "recompute forgets what was removed",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        override async recompute(): Promise<{ executions: number; corrected: string[] }> {
          this.keptItems = [];
          return super.recompute();
        }
      },
    ),
  },
  {
    name: "late spans bring a removed execution back",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override joins(): boolean {
          return true;
        }
      },
    ),
  },
  {
    name: "old spans are refused, also where their execution is there",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override joins(): boolean {
          return false;
        }
      },
    ),
  },
  {
    name: "the line moves back with an earlier request",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        override async prune(request: PruneRequest): Promise<PruneReport> {
          this.watermark = "0";
          return super.prune(request);
        }
      },
    ),
  },
  {
    name: "a step removes all there is",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        override async prune(request: PruneRequest): Promise<PruneReport> {
          return super.prune(request.limit === undefined ? request : { ...request, limit: 10_000 });
        }
      },
    ),
  },
  {
    name: "a step never says that more waits",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        override async prune(request: PruneRequest): Promise<PruneReport> {
          return { ...(await super.prune(request)), more: false };
        }
      },
    ),
  },
  {
    name: "the feed of what was removed stays",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        override async prune(request: PruneRequest): Promise<PruneReport> {
          const feeds = new Map(this.feeds);
          const report = await super.prune(request);
          for (const [id, feed] of feeds) {
            for (const entry of feed.entries.values()) entry.here = false;
            if (!this.feeds.has(id)) this.feeds.set(id, { ...feed, seq: feed.seq + 1 });
          }
          return report;
        }
      },
    ),
  },
  {
    name: "sums are dropped by the moment, not by whole days",
    chapter: "retention",
    open: scoped(
      class extends PlainScope {
        protected override dropSums(sumsBefore: string): void {
          this.keptItems = this.keptItems.filter(({ startTime }) => BigInt(startTime) >= BigInt(sumsBefore));
        }
      },
    ),
  },
  {
    name: "the store prunes its first scope",
    chapter: "retention",
    open: () => {
      const store = createPlainStore();
      let first = "";
      return {
        close: () => store.close(),
        forScope(scope) {
          first ||= scope;
          return store.forScope(scope);
        },
        prune: (request) => store.forScope(first).prune(request),
      };
    },
  },
  {
    name: "bytes of what was removed stay in a log",
    chapter: "retention",
    features: { erasure: true },
    open: logging,
  },
  {
    name: "retention goes by the clock of the store",
    chapter: "clock skew",
    open: scoped(
      class extends PlainScope {
        protected override isOld(span: SpanRecord, before: string): boolean {
          const now = BigInt(nanosFromMillis(Date.now()));
          const { endTime = span.startTime, startTime } = span;
          return super.isOld(span, before) || (BigInt(startTime) > now && BigInt(endTime) < BigInt(before));
        }
      },
    ),
  },
  {
    name: "retention of one scope removes from all",
    chapter: "scopes",
    open: pruningAll,
  },
];

function pruningAll(): OpenStore {
  const store = createPlainStore();
  return {
    close: () => store.close(),
    forScope: (scope) =>
      Object.assign(Object.create(store.forScope(scope)) as ScopedStore, {
        prune: (request: PruneRequest) => store.prune(request),
      }),
  };
}

describe("the conformance kit", () => testFaults(retentionFaults));
