import { analyticsGroups } from "./analytics-groups.ts";
import { analyticsParity } from "./analytics-parity.ts";
import { changesSince } from "./changes-since.ts";
import { claims } from "./claims.ts";
import { clockSkew } from "./clock-skew.ts";
import { concurrency } from "./concurrency.ts";
import { crash } from "./crash.ts";
import { deletion } from "./deletion.ts";
import { durability } from "./durability.ts";
import { type ConformanceOptions, Kit } from "./harness.ts";
import { hostileIds } from "./hostile-ids.ts";
import { hostileInput } from "./hostile-input.ts";
import { largeTraces } from "./large-traces.ts";
import { lateNames } from "./late-names.ts";
import { listing } from "./listing.ts";
import { orderAndDuplicates } from "./order-and-duplicates.ts";
import { pagesAndCursors } from "./pages-and-cursors.ts";
import { poison } from "./poison.ts";
import { severalProcesses } from "./processes.ts";
import { redaction } from "./redaction.ts";
import { retention } from "./retention.ts";
import { scopes } from "./scopes.ts";
import { search } from "./search.ts";
import { upgrade } from "./upgrade.ts";
import { writesAndMerge } from "./writes-and-merge.ts";

export type {
  ConformanceFeatures,
  ConformanceOptions,
  ConformanceRunner,
  OldSchema,
  OpenStore,
  TestedProcesses,
  TestedStore,
} from "./harness.ts";
export { type RandomHistory, randomHistory } from "./random-history.ts";
export {
  type ChapterReport,
  type ClaimReport,
  type ConformanceReport,
  formatReport,
  type TestReport,
} from "./report.ts";

/**
 * Holds a store to the contract of `TraceStore`: registers its tests with the runner that is passed in. Each test opens
 * a store of its own and closes it. See the README of `@spanloom/store`.
 */
export function storeConformance(options: ConformanceOptions): void {
  const kit = new Kit(options);
  kit.chapter("writes and merge", writesAndMerge);
  kit.chapter("order and duplicates", orderAndDuplicates);
  kit.chapter("late names", lateNames);
  kit.chapter("changes since", changesSince);
  kit.chapter("pages and cursors", pagesAndCursors);
  kit.chapter("listing", listing);
  kit.chapter("search", search);
  kit.chapter("analytics parity", analyticsParity);
  kit.chapter("analytics by group", analyticsGroups);
  kit.chapter("scopes", scopes);
  kit.chapter("deletion", deletion);
  kit.chapter("retention", retention);
  kit.chapter("redaction", redaction);
  kit.chapter("poison records", poison);
  kit.chapter("hostile input", hostileInput);
  kit.chapter("hostile ids", hostileIds);
  kit.chapter("clock skew", clockSkew);
  kit.chapter("concurrency", concurrency);
  kit.chapter("several processes", severalProcesses);
  kit.chapter("durability", durability);
  kit.chapter("crash", crash);
  kit.chapter("upgrade", upgrade);
  kit.chapter("large traces", largeTraces);
  kit.chapter("claims", claims);
}
