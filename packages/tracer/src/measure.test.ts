import {
  type Attributes,
  type AttributeValue,
  type Meter,
  metrics,
  type ObservableCallback,
} from "@opentelemetry/api";
import { expect, expectTypeOf, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import type { MeterLike } from "./measure.ts";
import { collectingSink } from "./sinks.test-support.ts";

/** A meter that is read on demand, as a real one is by its reader. */
function readableMeter() {
  const callbacks = new Map<string, Set<ObservableCallback>>();
  const instrument = (name: string) => {
    const added = new Set<ObservableCallback>();
    callbacks.set(name, added);
    return {
      addCallback: (callback: ObservableCallback) => void added.add(callback),
      removeCallback: (callback: ObservableCallback) => void added.delete(callback),
    };
  };
  const read = (): Record<string, AttributeValue> => {
    const figures: Record<string, AttributeValue> = {};
    for (const [name, added] of callbacks)
      for (const callback of added)
        void callback({
          observe: (value: number, attributes: Attributes = {}) => {
            figures[[name, ...Object.values(attributes)].join(" ")] = value;
          },
        });
    return figures;
  };
  return {
    createObservableCounter: instrument,
    createObservableUpDownCounter: instrument,
    createHistogram: () => ({ record: () => undefined }),
    read,
  };
}

test("the counters are OpenTelemetry metrics, by destination and reason, until the tracer is shut down", async () => {
  const meter = readableMeter();
  const sink = collectingSink();
  const tracer = createWorkflowTracer({
    store: {
      async write(spans) {
        await sink.write(spans);
        const rejected = spans
          .slice(0, 1)
          .map(() => ({ index: 0, code: "invalid_record" as const, message: "" }));
        return { written: spans.length - 1, unchanged: 0, rejected };
      },
    },
    otlp: { url: "http://127.0.0.1:1/v1/traces" },
    meter,
    onProblem: () => undefined,
  });
  tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, () => undefined));
  await tracer.flush({ timeoutMs: 200 });
  await expect.poll(() => Object.keys(meter.read())).not.toEqual([]);
  expect(meter.read()).toEqual({
    "spanloom.spans.accepted store": 2,
    "spanloom.spans.accepted otlp": 2,
    "spanloom.spans.recovered store": 0,
    "spanloom.spans.recovered otlp": 0,
    "spanloom.spans.stored store": 1,
    "spanloom.spans.stored otlp": 0,
    "spanloom.spans.merged store": 0,
    "spanloom.spans.merged otlp": 0,
    "spanloom.spans.dead_lettered store": 0,
    "spanloom.spans.dead_lettered otlp": 0,
    "spanloom.spans.queued store": 0,
    "spanloom.spans.queued otlp": 2,
    "spanloom.spans.spilled store": 0,
    "spanloom.spans.spilled otlp": 0,
    "spanloom.spans.dropped store rejected": 1,
  });
  await tracer.shutdown({ timeoutMs: 0 });
  expect(meter.read()).toEqual({});
});

test("a meter of OpenTelemetry is one", () => {
  expectTypeOf<Meter>().toExtend<MeterLike>();
  const tracer = createWorkflowTracer({ store: collectingSink(), meter: metrics.getMeter("host") });
  expect(tracer.stats().accepted).toBe(0);
});
