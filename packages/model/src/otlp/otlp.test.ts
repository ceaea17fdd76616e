import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hostileTraces,
  makeSpan,
  makeTrace,
  messagesContent,
  runningTrace,
  sampleTrace,
  textContent,
} from "../fixtures/index.ts";
import { canonicalJson } from "../json.ts";
import { json, record } from "../record-arbitraries.test-support.ts";
import { recordProblem } from "../record-schema.ts";
import type { SpanRecord } from "../span.ts";
import { fromAnyValue, toAnyValue } from "./any-value.ts";
import { decodeOtlp } from "./decode.ts";
import { encodeOtlp } from "./encode.ts";
import { foreignRequest, meaningOf } from "./foreign-otlp.test-support.ts";
import type { OtlpTraces } from "./otlp-types.ts";

describe("records through OTLP and back", () => {
  it("gives any records back unchanged", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (records) => {
        const { spans, rejected } = throughWire(records);
        expect(rejected).toEqual([]);
        expect(asSet(spans)).toEqual(asSet(records));
      }),
      { numRuns: 400 },
    );
  });

  it("gives any JSON attribute back unchanged", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(fromAnyValue(JSON.parse(JSON.stringify(toAnyValue(value)))))).toBe(
          canonicalJson(value),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["the sample", sampleTrace()],
    ["the running sample", runningTrace()],
    ["a made trace", makeTrace({ spans: 500 })],
    ...hostileTraces().map(({ name, spans }): [string, SpanRecord[]] => [name, spans]),
  ])("gives %s back unchanged", (_name, records) => {
    const { spans, rejected } = throughWire(records);
    expect(rejected).toEqual([]);
    expect(asSet(spans)).toEqual(asSet(records));
  });

  it("takes nothing of content along unless asked, in whatever attribute", () => {
    const secret = "the secret of the mill";
    const span = makeSpan({
      kind: "tool",
      input: textContent(secret),
      output: messagesContent({ role: "user", parts: [{ type: "text", content: secret }] }),
      stateBefore: textContent(secret),
      stateAfter: { format: "json", state: "captured", hash: "abc", json: secret },
    });
    const request = encodeOtlp([span]);
    expect(JSON.stringify(request)).not.toContain(secret);
    const { input, output, stateBefore, stateAfter, ...rest } = span;
    expect(decodeOtlp(request).spans).toEqual([rest]);
    expect(JSON.stringify(encodeOtlp([span], { content: true }))).toContain(secret);
  });

  it("without content leaves attributes of other libraries behind that hold it, and what errors said", () => {
    const secret = "the secret of the mill";
    const attributes = {
      "llm.prompts": secret,
      "http.route": "/mill",
      call: { toolInput: secret, attempt: 2 },
      "exception.type": "TypeError",
      "exception.message": secret,
    };
    const span = makeSpan({
      attributes,
      events: [{ name: "exception", time: "1", attributes, droppedAttributes: 1 }],
      links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16), attributes }],
      status: { code: "error", message: secret },
    });
    const request = encodeOtlp([span]);
    expect(JSON.stringify(request)).not.toContain(secret);
    const kept = {
      "http.route": "/mill",
      call: { toolInput: "[not permitted]", attempt: 2 },
      "exception.type": "TypeError",
    };
    expect(decodeOtlp(request).spans[0]).toMatchObject({
      attributes: kept,
      dropped: { attributes: 2 },
      events: [{ attributes: kept, droppedAttributes: 3 }],
      links: [{ attributes: kept, droppedAttributes: 2 }],
      status: { code: "error" },
    });
  });

  it("groups spans by resource and scope", () => {
    const other = { attributes: { "service.name": "other" } };
    const spans = [
      makeSpan({ spanId: "1".repeat(16) }),
      makeSpan({ resource: other }),
      makeSpan({ spanId: "2".repeat(16) }),
    ];
    const { resourceSpans = [] } = encodeOtlp(structuredClone(spans));
    expect(resourceSpans.map(({ scopeSpans }) => scopeSpans?.map((scope) => scope.spans?.length))).toEqual([
      [2],
      [1],
    ]);
  });
});

describe("what other tools see", () => {
  const llm = sampleTrace().find((span) => span.firstTokenTime !== undefined) as SpanRecord;

  it("are canonical gen_ai attributes", () => {
    const attributes = attributesOf(encodeOtlp([llm], { content: true }));
    expect(attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "lumen",
      "gen_ai.request.model": "lumen-large-2",
      "gen_ai.usage.input_tokens": 1840,
      "gen_ai.usage.cache_read.input_tokens": 1536,
      "gen_ai.usage.reasoning.output_tokens": 120,
      "gen_ai.agent.name": "field-extractor",
      "gen_ai.conversation.id": "thread-invoice-1042",
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.response.time_to_first_chunk": 0.735,
      "spanloom.cost.nano_usd": 3_824_000,
    });
    const messages: unknown = JSON.parse(String(attributes["gen_ai.output.messages"]));
    expect(messages).toMatchObject([
      { role: "assistant", finish_reason: "tool_call", parts: [{ type: "reasoning" }, {}] },
    ]);
  });

  it("never overwrites what the span says itself", () => {
    const span = { ...llm, attributes: { "gen_ai.request.model": "as-asked" } };
    expect(attributesOf(encodeOtlp([span]))["gen_ai.request.model"]).toBe("as-asked");
    expect(decodeOtlp(encodeOtlp([span])).spans[0]?.attributes).toEqual({
      "gen_ai.request.model": "as-asked",
    });
  });
});

describe("foreign OTLP through records and back", () => {
  it("gives semantically the same request", () => {
    fc.assert(
      fc.property(foreignRequest(), (request) => {
        const before = structuredClone(request);
        const { spans, rejected } = decodeOtlp(request);
        expect(rejected).toEqual([]);
        for (const span of spans) {
          expect(span).toMatchObject({ kind: "internal", executionId: span.traceId, revision: 0 });
          expect(recordProblem(span)).toBeUndefined();
        }
        const again = encodeOtlp(spans, { content: true });
        expect(meaningOf(JSON.parse(JSON.stringify(again)))).toEqual(meaningOf(before));
      }),
      { numRuns: 300 },
    );
  });
});

function throughWire(records: readonly SpanRecord[]): ReturnType<typeof decodeOtlp> {
  return decodeOtlp(JSON.parse(JSON.stringify(encodeOtlp(records, { content: true }))));
}

function asSet(records: readonly SpanRecord[]): string[] {
  return records.map(canonicalJson).sort();
}

function attributesOf(request: OtlpTraces): Record<string, unknown> {
  const list = request.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.attributes ?? [];
  return Object.fromEntries(list.map(({ key, value }) => [key, fromAnyValue(value)]));
}
