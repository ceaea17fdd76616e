import type { TraceReader } from "@spanloom/model";
import { QueryClient } from "@tanstack/react-query";
import { type ReactElement, type ReactNode, useEffect, useMemo, useSyncExternalStore } from "react";
import { type Observability, ObservabilityContext, type Theme } from "./context.ts";
import { createTraceFeed, isDenied, type TraceFeed } from "./feed/trace-feed.ts";
import type { Catalogue } from "./messages/messages.ts";

export interface ObservabilityProviderProps {
  /** Where the panels read: an HTTP store, a store of this process, or any TraceReader. Keep it the same object between renders. */
  store: TraceReader;
  /** Who is looking. Another principal shares nothing that was read for this one. */
  principal?: string;
  /** BCP 47 language tag for numbers and dates; the browser's where absent. */
  locale?: string;
  /** IANA time zone for days and times; the browser's where absent, UTC on a server. */
  timeZone?: string;
  /** `system` (default) follows `data-theme` on an ancestor, else the operating system. */
  theme?: Theme;
  /** Texts that replace the panels' own, by key: another language, or the host's words, e.g. `{ "term.node": "Block" }`. */
  messages?: Catalogue;
  children: ReactNode;
}

/** Gives panels and hooks below it a store to read from. Has a query client of its own and leaves the host's alone. */
export function ObservabilityProvider(props: ObservabilityProviderProps): ReactElement {
  const { store, principal, locale, timeZone, theme = "system", messages = noMessages, children } = props;
  const access = useMemo(() => createAccess(store, principal), [store, principal]);
  useEffect(() => {
    access.queryClient.mount();
    return () => access.queryClient.unmount();
  }, [access]);
  // A server renders in its own zone; the first render in the browser must agree with it, whatever that is.
  const localZone = useSyncExternalStore(neverChanges, browserZone, serverZone);
  const value = useMemo<Observability>(
    () => ({
      reader: store,
      ...access,
      locale,
      timeZone: timeZone ?? localZone,
      theme,
      messages,
    }),
    [store, access, locale, timeZone, localZone, theme, messages],
  );
  // The key makes everything below anew for another store or principal: hooks that stay would keep the answers they have.
  return (
    <ObservabilityContext.Provider key={access.id} value={value}>
      {children}
    </ObservabilityContext.Provider>
  );
}

const noMessages: Catalogue = {};

const neverChanges = () => () => undefined;
const browserZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;
const serverZone = (): string => "UTC";

/** How many traces stay in memory after their panels are gone, for going back to them. */
const KEPT_FEEDS = 4;

let nextAccessId = 0;

/** Everything that remembers answers, made anew for another store or principal. */
function createAccess(
  reader: TraceReader,
  _principal: string | undefined,
): Pick<Observability, "queryClient" | "feedOf"> & { id: number } {
  const feeds = new Map<string, TraceFeed>();
  return {
    id: nextAccessId++,
    queryClient: new QueryClient({
      defaultOptions: {
        queries: {
          staleTime: 1_000,
          retry: (failures, error) => failures < 2 && !isDenied(error),
          retryDelay: (attempt) => 500 * 2 ** attempt,
        },
      },
    }),
    feedOf(executionId) {
      const known = feeds.get(executionId);
      const feed = known ?? createTraceFeed(reader, executionId);
      feeds.delete(executionId);
      feeds.set(executionId, feed);
      for (const oldest of feeds.keys()) {
        if (feeds.size <= KEPT_FEEDS) break;
        feeds.delete(oldest);
      }
      return feed;
    },
  };
}
