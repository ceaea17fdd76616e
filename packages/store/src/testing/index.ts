import { type ConformanceOptions, describeChapter } from "./harness.ts";
import { orderAndDuplicates } from "./order-and-duplicates.ts";

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
  describeChapter(options, "order and duplicates", orderAndDuplicates);
}
