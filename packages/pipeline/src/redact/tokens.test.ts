import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createPipeline } from "../pipeline.ts";
import { redactionTokens, type TokenOptions } from "./tokens.ts";

const oldKey = { id: "k1", secret: "a secret of the first half-year" };
const newKey = { id: "k2", secret: "a secret of the second half-year" };

function nameOf(name: string, tokens: TokenOptions, scope?: string): string {
  const pipeline = createPipeline({ redaction: { tokens, personalData: true } });
  return pipeline.clean(makeSpan({ name }), scope === undefined ? undefined : { scope }).name;
}

describe("tokens", () => {
  test("equal values are equal in a scope, however they are written, and differ across scopes", () => {
    const tokens = { keys: [oldKey] };
    const token = nameOf("ada@example.com", tokens, "acme");
    expect(token).toMatch(/^\[email:k1:[0-9a-f]{16}\]$/);
    expect(nameOf("to ADA@example.com now", tokens, "acme")).toBe(`to ${token} now`);
    expect(nameOf("bob@example.com", tokens, "acme")).not.toBe(token);
    expect(nameOf("ada@example.com", tokens, "other")).not.toBe(token);
    expect(nameOf("ada@example.com", tokens)).toBe(nameOf("ada@example.com", tokens, "default"));
    expect(nameOf("4111 1111 1111 1111", tokens)).toBe(nameOf("4111-1111-1111-1111", tokens));
  });

  test("secrets of every kind get one, and cleaning twice is cleaning once", () => {
    const pipeline = createPipeline({ redaction: { tokens: { keys: [oldKey] }, personalData: true } });
    const text =
      'password=hunter2! x://a:hunter2!@h {"token":"hunter2!"} Authorization: Bearer abc.def 123-45-6789 Cookie: a=b';
    const record = pipeline.clean(
      makeSpan({
        name: text,
        attributes: { text, password: "hunter2!", [`k ${text}`]: [text], pin_secret: 1234 },
      }),
    );
    expect(JSON.stringify(record)).not.toMatch(/hunter2|abc\.def|6789|\[redacted/);
    expect(record.attributes.password).toBe(/(\[\w+:k1:\w+\])/.exec(record.name)?.[1]);
    expect(pipeline.clean(record)).toEqual(record);
  });

  test("a new key makes new tokens, and what older ones carry can still be searched for", () => {
    const rotated = { keys: [newKey, oldKey] };
    const before = nameOf("ada@example.com", { keys: [oldKey] }, "acme");
    const after = nameOf("ada@example.com", rotated, "acme");
    expect(after).toMatch(/^\[email:k2:/);
    expect(nameOf(before, rotated, "acme")).toBe(before);
    expect(redactionTokens(rotated, { rule: "email", value: "Ada@example.com", scope: "acme" })).toEqual([
      after,
      before,
    ]);
  });

  test.each([
    ["no key", []],
    ["an id twice", [oldKey, { ...newKey, id: "k1" }]],
    ["an id that would not stand in a token", [{ ...oldKey, id: "a:b" }]],
    ["a secret that is soon guessed", [{ id: "k1", secret: "short" }]],
  ])("%s is refused", (_what, keys) => {
    expect(() => createPipeline({ redaction: { tokens: { keys } } })).toThrow(/keys of redaction tokens/);
  });
});
