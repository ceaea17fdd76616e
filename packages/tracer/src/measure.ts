import type { DeliveryStats } from "./deliver/counters.ts";

/** What is asked of an instrument of an OpenTelemetry meter. */
export interface ObservableLike {
  addCallback(callback: ObservableCallback): void;
  removeCallback(callback: ObservableCallback): void;
}

type ObservableCallback = (result: {
  observe(value: number, attributes?: Record<string, string>): void;
}) => void;

/** What is asked of a meter: `metrics.getMeter("...")` of `@opentelemetry/api` is one. */
export interface MeterLike {
  createObservableCounter(name: string, options?: { description?: string; unit?: string }): ObservableLike;
  createObservableUpDownCounter(
    name: string,
    options?: { description?: string; unit?: string },
  ): ObservableLike;
}

const COUNTERS = {
  accepted: "States of spans that were handed over.",
  recovered: "Of these, what an earlier process had left on the disk.",
  stored: "Confirmed by the other end.",
  merged: "Replaced by a newer state of the same span before they were sent.",
  deadLettered: "Refused for good and set apart in a file.",
} as const;

const LEVELS = {
  queued: "Waiting in memory alone.",
  spilled: "Waiting on the disk.",
} as const;

/** Shows the counters as `spanloom.spans.*`, by destination; drops also by reason. Gives the way back. */
export function measure(meter: MeterLike, stats: () => DeliveryStats & { otlp?: DeliveryStats }): () => void {
  const undo: (() => void)[] = [];
  const watch = (instrument: ObservableLike, callback: ObservableCallback): void => {
    instrument.addCallback(callback);
    undo.push(() => instrument.removeCallback(callback));
  };
  const field = (key: keyof typeof COUNTERS | keyof typeof LEVELS): ObservableCallback => {
    return (result) => {
      for (const [destination, counts] of byDestination(stats()))
        result.observe(counts[key], { destination });
    };
  };
  for (const [key, description] of Object.entries(COUNTERS) as [keyof typeof COUNTERS, string][])
    watch(meter.createObservableCounter(nameOf(key), { description, unit: "{span}" }), field(key));
  for (const [key, description] of Object.entries(LEVELS) as [keyof typeof LEVELS, string][])
    watch(meter.createObservableUpDownCounter(nameOf(key), { description, unit: "{span}" }), field(key));
  const dropped = { description: "Lost, by reason.", unit: "{span}" };
  watch(meter.createObservableCounter(nameOf("dropped"), dropped), (result) => {
    for (const [destination, counts] of byDestination(stats()))
      for (const [reason, count] of Object.entries(counts.dropped))
        result.observe(count, { destination, reason });
  });
  return () => {
    for (const step of undo.splice(0)) step();
  };
}

function byDestination(stats: DeliveryStats & { otlp?: DeliveryStats }): [string, DeliveryStats][] {
  const { otlp } = stats;
  return otlp === undefined
    ? [["store", stats]]
    : [
        ["store", stats],
        ["otlp", otlp],
      ];
}

/** OpenTelemetry's names are of lower case. */
function nameOf(key: string): string {
  return `spanloom.spans.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}
