import type { ExecutionStats } from "@spanloom/metrics";
import {
  type AnalyticsQuery,
  decodeCursor,
  encodeCursor,
  type ScopedStore,
  type SearchSpansQuery,
  type SpanMatches,
  type SpanRecord,
} from "@spanloom/model";
import { describe } from "vitest";
import { createPlainStore, PlainScope } from "./plain-store.test-support.ts";
import { type Fault, scoped, testFaults, wrapped } from "./plant-fault.test-support.ts";

type Search = (
  store: ScopedStore,
  executionId: string,
  query: SearchSpansQuery,
) => Promise<SpanMatches | undefined>;

/** A store with another search. */
function searching(search: Search): Fault["open"] {
  return wrapped((store) => ({
    searchSpans: (executionId: string, query: SearchSpansQuery) => search(store, executionId, query),
  }));
}

const searchFaults: Fault[] = [
  {
    name: "the stored JSON is searched as a whole",
    chapter: "search",
    open: searching(async (store, executionId, query) => {
      const matches = await store.searchSpans(executionId, query);
      const page = await store.getTrace(executionId, { view: "full" });
      const found = (page?.spans ?? []).filter((span) => JSON.stringify(span).includes(query.text));
      return (
        matches && {
          ...matches,
          items: matches.items.length > 0 ? matches.items : found.map((span) => ({ ...span, hits: [] })),
        }
      );
    }),
  },
  {
    name: "text is escaped as JSON escapes it",
    chapter: "search",
    open: searching((store, executionId, query) =>
      store.searchSpans(executionId, { ...query, text: JSON.stringify(query.text).slice(1, -1) }),
    ),
  },
  {
    name: "wildcards of patterns match anything",
    chapter: "search",
    open: searching((store, executionId, query) =>
      store.searchSpans(executionId, { ...query, text: /^[%*._]$/.test(query.text) ? "e" : query.text }),
    ),
  },
  {
    name: "only ASCII letters are matched without regard to case",
    chapter: "search",
    open: searching((store, executionId, query) => {
      const foreign = /[^\x20-\x7e]/.test(query.text) && query.text !== query.text.toLowerCase();
      return store.searchSpans(executionId, foreign ? { ...query, text: `${query.text}\u0000never` } : query);
    }),
  },
  {
    name: "texts are brought into one normal form",
    chapter: "search",
    open: searching((store, executionId, query) =>
      store.searchSpans(executionId, { ...query, text: query.text.normalize("NFKC") }),
    ),
  },
  {
    name: "places are not looked at",
    chapter: "search",
    open: searching((store, executionId, { places, ...query }) => store.searchSpans(executionId, query)),
  },
  {
    name: "one hit a span",
    chapter: "search",
    open: searching(async (store, executionId, query) => {
      const matches = await store.searchSpans(executionId, query);
      return (
        matches && {
          ...matches,
          items: matches.items.map((item) => ({ ...item, hits: item.hits.slice(0, 1) })),
        }
      );
    }),
  },
  {
    name: "matches are paged by offset over what is there now",
    chapter: "search",
    open: searching(async (store, executionId, { cursor, limit = 200, ...query }) => {
      const from = cursor === undefined ? 0 : Number(decodeCursor(cursor));
      const matches = await store.searchSpans(executionId, { ...query, limit: 1_000 });
      if (matches === undefined) return undefined;
      const { items, asOfSeq } = matches;
      const more = from + limit < items.length;
      return {
        items: items.slice(from, from + limit),
        asOfSeq,
        ...(more && { nextCursor: encodeCursor(from + limit) }),
      };
    }),
  },
  {
    name: "pages end with the first one",
    chapter: "search",
    open: searching(async (store, executionId, query) => {
      const matches = await store.searchSpans(executionId, query);
      return matches && { items: matches.items, asOfSeq: matches.asOfSeq };
    }),
  },
];

const pageFaults: Fault[] = [
  {
    name: "a span is looked for in the traces of its execution, whosever it is",
    chapter: "pages and cursors",
    open: wrapped((store) => ({
      async getSpan(executionId: string, spanId: string, traceId?: string) {
        const [execution] = await store.getExecutions([executionId]);
        const { items } = await store.listExecutions();
        for (const one of execution === undefined ? [] : [execution, ...items]) {
          const found = await store.getSpan(one.executionId, spanId, traceId);
          if (found && execution?.traceIds.includes(found.traceId)) return { ...found, executionId };
        }
        return undefined;
      },
    })),
  },
];

type Stats = (stats: ExecutionStats) => ExecutionStats;

/** A store whose executions add something else to analytics. */
function counting(change: Stats): Fault["open"] {
  return scoped(
    class extends PlainScope {
      protected override statsOf(executionId: string): ExecutionStats {
        return change(super.statsOf(executionId));
      }
    },
  );
}

const analyticsFaults: Fault[] = [
  {
    name: "days are cut in UTC",
    chapter: "analytics by group",
    open: wrapped((store) => ({
      async getAnalytics(query: AnalyticsQuery) {
        const { timeZone } = await store.getAnalytics(query);
        return { ...(await store.getAnalytics({ ...query, timeZone: "UTC" })), timeZone };
      },
    })),
  },
  {
    name: "what still runs is measured",
    chapter: "analytics by group",
    open: counting((stats) => ({ slot: 3, ...stats })),
  },
  {
    name: "percentiles come from other slots",
    chapter: "analytics by group",
    open: counting(({ slot, ...stats }) => ({
      ...stats,
      ...(slot !== undefined && { slot: slot + (slot % 2) }),
    })),
  },
  {
    name: "whoever says no node type is left out",
    chapter: "analytics by group",
    open: counting((stats) => ({ ...stats, nodeTypes: stats.nodeTypes.filter(({ key }) => key !== "") })),
  },
  {
    name: "hours stand in for quarter-hours",
    chapter: "analytics by group",
    open: counting((stats) => ({ ...stats, bucket: Math.floor(stats.bucket / 3_600) * 3_600 })),
  },
  {
    name: "executions keep the status and workflow they were first seen with",
    chapter: "analytics by group",
    open: () => {
      const first = new Map<string, ExecutionStats>();
      const First = class extends PlainScope {
        protected override statsOf(executionId: string): ExecutionStats {
          const stats = first.get(executionId) ?? super.statsOf(executionId);
          first.set(executionId, stats);
          return stats;
        }
      };
      return createPlainStore((scope) => new First(scope));
    },
  },
  {
    name: "deleted executions go on counting",
    chapter: "analytics by group",
    open: scoped(
      class extends PlainScope {
        override async deleteExecution(executionId: string): Promise<boolean> {
          if (this.has(executionId)) this.keep([executionId]);
          return super.deleteExecution(executionId);
        }
      },
    ),
  },
  {
    name: "analytics are of all scopes",
    chapter: "scopes",
    open: () => {
      const store = createPlainStore();
      const all = store.forScope("all");
      return {
        close: () => store.close(),
        forScope(scope) {
          const own = store.forScope(scope);
          return Object.assign(Object.create(own) as ScopedStore, {
            write: async (spans: readonly SpanRecord[]) => {
              await all.write(spans);
              return own.write(spans);
            },
            getAnalytics: (query: AnalyticsQuery) => all.getAnalytics(query),
          });
        },
      };
    },
  },
  {
    name: "a search looks through all scopes",
    chapter: "scopes",
    open: () => {
      const store = createPlainStore();
      return {
        close: () => store.close(),
        forScope(scope) {
          const own = store.forScope(scope);
          return Object.assign(Object.create(own) as ScopedStore, {
            searchSpans: async (executionId: string, query: SearchSpansQuery) =>
              (await own.searchSpans(executionId, query)) ??
              store.forScope("mine").searchSpans(executionId, query),
          });
        },
      };
    },
  },
];

describe("the conformance kit", () => testFaults([...searchFaults, ...pageFaults, ...analyticsFaults]));
