import { SpanloomError, type TraceReader } from "@spanloom/model";
import type { QueryClient } from "@tanstack/react-query";
import { type Context, createContext, useContext } from "react";
import type { TraceFeed } from "./feed/trace-feed.ts";
import type { Catalogue } from "./messages/messages.ts";

export type Theme = "light" | "dark" | "system";

/** What the provider hands to panels and hooks. */
export interface Observability {
  reader: TraceReader;
  queryClient: QueryClient;
  /** The feed of an execution, shared by all panels that show it. */
  feedOf(executionId: string): TraceFeed;
  /** BCP 47; the browser's where absent. */
  locale: string | undefined;
  /** IANA; the browser's where absent. */
  timeZone: string;
  theme: Theme;
  /** The host's texts, over the panels' own. */
  messages: Catalogue;
}

export const ObservabilityContext: Context<Observability | undefined> = createContext<
  Observability | undefined
>(undefined);

/** The nearest provider. Throws when there is none: a panel without a store has nothing to show. */
export function useObservability(): Observability {
  const value = useContext(ObservabilityContext);
  if (value === undefined) {
    throw new SpanloomError("invalid_argument", {
      what: "A Spanloom panel or hook was used outside an <ObservabilityProvider>.",
      why: "It takes its store, time zone and texts from there.",
      fix: "Wrap the panels in <ObservabilityProvider store={...}>.",
    });
  }
  return value;
}
