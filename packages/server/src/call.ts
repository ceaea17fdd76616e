import type { ContentVault, ScopedStore } from "@spanloom/model";
import type { Pipeline } from "@spanloom/pipeline";
import type { Grant } from "./authorize.ts";
import type { Limits } from "./limits.ts";
import type { LiveTimes } from "./live/live-trace.ts";
import type { ConfigSource } from "./panel-config.ts";

/** One authorised request, as a route sees it. */
export interface Call {
  request: Request;
  /** Path parameters, decoded. */
  params: Readonly<Record<string, string>>;
  search: URLSearchParams;
  /** The query by name; of a name that repeats, the last. */
  query: Record<string, string | undefined>;
  grant: Grant;
  /** The store as the caller's scope sees it. */
  store: ScopedStore;
  settings: CallSettings;
  /** Asks the host again about the same request, for answers that go on for long. */
  stillAllowed(): Promise<boolean>;
  /** Tells the host of a failure that the caller must not read. */
  report(error: unknown): void;
}

export interface CallSettings {
  limits: Limits;
  live: LiveTimes;
  config?: ConfigSource;
  vault?: ContentVault;
  /** Cleans what comes in. */
  pipeline: Pick<Pipeline, "clean" | "ready"> | false;
}

export type RouteHandler = (call: Call) => Promise<Response>;
