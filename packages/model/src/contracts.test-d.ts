import { describe, expectTypeOf, it } from "vitest";
import type { Attributes } from "./attributes.ts";
import type { Content } from "./content.ts";
import type { JsonValue } from "./json.ts";
import type { SpanSink } from "./ports/span-sink.ts";
import type { TracePage, TraceReader } from "./ports/trace-reader.ts";
import type { ScopedStore, TraceStore } from "./ports/trace-store.ts";
import { isRunning, type SpanKind, type SpanRecord, type SpanSkeleton, toSkeleton } from "./span.ts";
import type { UnixNanos } from "./time.ts";

declare const reader: TraceReader;
declare const record: SpanRecord;

describe("records", () => {
  it("are skeletons with more", () => {
    expectTypeOf<SpanRecord>().toExtend<SpanSkeleton>();
    expectTypeOf<SpanSkeleton>().not.toExtend<SpanRecord>();
    expectTypeOf(toSkeleton(record)).toEqualTypeOf<SpanSkeleton>();
    expectTypeOf(isRunning).toBeCallableWith(record);
  });

  it("hold nothing that JSON cannot", () => {
    expectTypeOf<Attributes[string]>().toEqualTypeOf<JsonValue>();
    expectTypeOf<UnixNanos>().toEqualTypeOf<string>();
    expectTypeOf<Date>().not.toExtend<JsonValue>();
    expectTypeOf<bigint>().not.toExtend<JsonValue>();
    expectTypeOf<undefined>().not.toExtend<JsonValue>();
  });

  it("refuse kinds that do not exist", () => {
    expectTypeOf<"llm">().toExtend<SpanKind>();
    expectTypeOf<"wizard">().not.toExtend<SpanKind>();
  });

  it("leave the end open, so that running is never 0", () => {
    expectTypeOf<SpanRecord["endTime"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<SpanRecord["usage"]>().extract<undefined>().toEqualTypeOf<undefined>();
  });

  it("tell contents apart by their format", () => {
    const content = {} as Content;
    if (content.format === "messages") expectTypeOf(content).not.toHaveProperty("text");
    if (content.format === "text") expectTypeOf(content.text).toEqualTypeOf<string | undefined>();
  });
});

describe("ports", () => {
  it("give skeletons unless full records are asked for", () => {
    expectTypeOf(reader.getTrace("e")).resolves.toEqualTypeOf<TracePage | undefined>();
    expectTypeOf(reader.getTrace("e", { view: "full" })).resolves.toEqualTypeOf<
      TracePage<SpanRecord> | undefined
    >();
    expectTypeOf(reader.getTrace("e", { view: "skeleton" })).resolves.toEqualTypeOf<TracePage | undefined>();
  });

  it("answer nothing without a scope", () => {
    expectTypeOf<TraceStore["forScope"]>().parameters.toEqualTypeOf<[scope: string]>();
    expectTypeOf<TraceStore>().not.toHaveProperty("write");
    expectTypeOf<TraceStore>().not.toHaveProperty("getTrace");
    expectTypeOf<ScopedStore>().toExtend<SpanSink & TraceReader>();
  });
});
