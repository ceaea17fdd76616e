import { analyticsParity } from "./analytics-parity.ts";
import { changesSince } from "./changes-since.ts";
import { deletion } from "./deletion.ts";
import { durability } from "./durability.ts";
import { type ConformanceOptions, describeChapter } from "./harness.ts";
import { hostileInput } from "./hostile-input.ts";
import { lateNames } from "./late-names.ts";
import { listing } from "./listing.ts";
import { orderAndDuplicates } from "./order-and-duplicates.ts";
import { pagesAndCursors } from "./pages-and-cursors.ts";
import { scopes } from "./scopes.ts";
import { writesAndMerge } from "./writes-and-merge.ts";

export type {
  ConformanceFeatures,
  ConformanceOptions,
  ConformanceRunner,
  OpenStore,
  TestedStore,
} from "./harness.ts";
export { type RandomHistory, randomHistory } from "./random-history.ts";

/**
 * Holds a store to the contract of `TraceStore`: registers its tests with the runner that is passed in. Each test opens
 * a store of its own and closes it. See the README of `@spanloom/store`.
 */
export function storeConformance(options: ConformanceOptions): void {
  describeChapter(options, "writes and merge", writesAndMerge);
  describeChapter(options, "order and duplicates", orderAndDuplicates);
  describeChapter(options, "late names", lateNames);
  describeChapter(options, "changes since", changesSince);
  describeChapter(options, "pages and cursors", pagesAndCursors);
  describeChapter(options, "listing", listing);
  describeChapter(options, "analytics parity", analyticsParity);
  describeChapter(options, "scopes", scopes);
  describeChapter(options, "deletion", deletion);
  describeChapter(options, "hostile input", hostileInput);
  describeChapter(options, "durability", durability);
}
