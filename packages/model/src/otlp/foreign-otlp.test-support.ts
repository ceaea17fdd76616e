import * as fc from "fast-check";
import { canonicalJson } from "../json.ts";
import { json } from "../record-arbitraries.test-support.ts";
import { toAnyValue } from "./any-value.ts";
import type { OtlpKeyValue, OtlpSpan, OtlpTraces } from "./otlp-types.ts";

/** Requests as some exporter writes them: int64 as string or number, defaults written out or left out. */
export function foreignRequest(): fc.Arbitrary<OtlpTraces> {
  const any = json.map((value) => toAnyValue(value));
  const list = fc
    .uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), any), { selector: ([key]) => key, maxLength: 4 })
    .map((pairs): OtlpKeyValue[] => pairs.map(([key, value]) => ({ key, value })));
  const hex = (length: number): fc.Arbitrary<string> =>
    fc
      .bigInt({ min: 1n, max: 16n ** BigInt(length) - 1n })
      .map((id) => id.toString(16).padStart(length, "0"));
  const counted = { attributes: list, droppedAttributesCount: fc.nat({ max: 9 }) };
  const time = fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String), fc.integer({ min: 1 }));
  const texts = fc.constantFrom("", "x", "https://127.0.0.1/schema/1");
  const identity = { traceId: hex(32), spanId: hex(16) };
  const span: fc.Arbitrary<OtlpSpan> = fc.record(
    {
      ...identity,
      ...counted,
      parentSpanId: fc.oneof(hex(16), fc.constantFrom("", "0".repeat(16))),
      traceState: texts,
      flags: fc.nat({ max: 1_023 }),
      name: texts,
      kind: fc.integer({ min: 1, max: 5 }),
      startTimeUnixNano: time,
      endTimeUnixNano: fc.oneof(time, fc.constant("0")),
      events: fc.array(fc.record({ timeUnixNano: time, name: texts, ...counted }, { requiredKeys: [] }), {
        maxLength: 2,
      }),
      droppedEventsCount: fc.nat({ max: 3 }),
      links: fc.array(
        fc.record(
          { ...identity, ...counted, traceState: texts, flags: fc.nat({ max: 1_023 }) },
          { requiredKeys: ["traceId", "spanId"] },
        ),
        { maxLength: 2 },
      ),
      droppedLinksCount: fc.nat({ max: 3 }),
      status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: texts }, { requiredKeys: [] }),
    },
    { requiredKeys: ["traceId", "spanId", "startTimeUnixNano", "kind"] },
  );
  const scope = fc.record({ name: texts, version: texts, ...counted }, { requiredKeys: [] });
  const scopeSpans = fc.record(
    { scope, spans: fc.array(span, { maxLength: 3 }), schemaUrl: texts },
    { requiredKeys: ["spans"] },
  );
  const resource = fc.record(counted, { requiredKeys: [] });
  return fc.record({
    resourceSpans: fc.array(
      fc.record(
        { resource, scopeSpans: fc.array(scopeSpans, { maxLength: 2 }), schemaUrl: texts },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
  });
}

/** One line a span, with its resource and scope: what the request says, without how it says it. */
export function meaningOf(request: OtlpTraces): string[] {
  const lines = (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [], schemaUrl }) =>
    scopeSpans.flatMap((scope) =>
      (scope.spans ?? []).map((span) =>
        canonicalJson(
          withoutDefaults({ resource, schemaUrl, scope: scope.scope, scopeUrl: scope.schemaUrl, span }),
        ),
      ),
    ),
  );
  return lines.sort();
}

/** Proto3's absent: null, 0, "", [] and ids of zeros, outside attribute values; numbers and their digits are one. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => {
    return key === "attributes" ? [key, sorted(member)] : [key, withoutDefaults(member)];
  });
  return Object.fromEntries(entries.filter(([, member]) => !isDefault(member)));
}

function isDefault(value: unknown): boolean {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return ["", "0", "null", "[]", "{}", "0".repeat(16)].includes(text ?? "");
}

function sorted(list: unknown): unknown {
  return (list as OtlpKeyValue[]).map((pair) => canonicalJson(inKeyOrder(pair))).sort();
}

/** Objects of integer-like keys come back in another order, which a map does not have. */
function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = value.map(inKeyOrder);
    const isMap =
      members.length > 0 &&
      members.every((member) => typeof member === "object" && member !== null && "key" in member);
    return isMap ? members.map((member) => canonicalJson(member)).sort() : members;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inKeyOrder(member)]));
}
