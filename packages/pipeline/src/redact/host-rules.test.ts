import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";
import type { RedactionPlace } from "./host-rules.ts";
import type { RedactionOptions } from "./options.ts";
import { createRedactor } from "./redact-span.ts";

function cleanName(name: string, options: RedactionOptions): string {
  return createRedactor(compileRules(options))(makeSpan({ name })).name;
}

/** Newer than the language that this is compiled for. */
const sets = "[[a-z]--[aeiou]]";

describe("patterns", () => {
  test.each([
    ["a text", "CN-\\d{4}", "CN-1234 cn-1234", "[redacted:own] cn-1234"],
    ["a regular expression", /CN-\d{4}/, "CN-1234 CN-12345", "[redacted:own] [redacted:own]5"],
    ["its flags", /cn-\d{4}/i, "CN-1234", "[redacted:own]"],
    ["Unicode", /\p{Lu}{2}-\d+/u, "ÄÖ-12 x", "[redacted:own] x"],
    ["a named group", /(?<country>[A-Z]{2})\d/, "x DE1", "x [redacted:own]"],
    ["what matches nothing", "x*", "axxb", "a[redacted:own]b"],
    ["looking behind", /(?<=no )\d+/, "no 12, 13", "no [redacted:own], 13"],
  ])("%s", (_what, pattern, text, expected) => {
    expect(cleanName(text, { patterns: [{ name: "own", pattern }] })).toBe(expected);
  });

  test.each([
    ["looking ahead", /a(?=b)/],
    ["a back-reference", /(a)\1/],
    ["sets of sets", new RegExp(sets, "v")],
    ["a text that is no pattern", "("],
  ])("%s is refused with the reason", (_what, pattern) => {
    expect(() => compileRules({ patterns: [{ name: "own", pattern }] })).toThrow(
      /The redaction rule "own" cannot be used\. .*RE2/,
    );
  });
});

describe("functions", () => {
  test("see each text and where it stands, and are counted", () => {
    const seen: RedactionPlace[] = [];
    const redact = createRedactor(
      compileRules({
        functions: [
          {
            name: "names",
            redact: (text, where) => {
              if (text.includes("Ada")) seen.push({ ...where });
              return text.includes("Ada") ? text.replaceAll("Ada", "A.") : undefined;
            },
          },
        ],
      }),
    );
    const record = redact(
      makeSpan({
        kind: "tool",
        name: "ask Ada",
        attributes: { "app.user": { first: "Ada" } },
        input: textContent('{"to":"Ada"}'),
      }),
    );
    expect(record.name).toBe("ask A.");
    expect(record.attributes).toEqual({ "app.user": { first: "A." } });
    expect(record.redactions).toEqual([{ rule: "names", count: 2 }]);
    expect(record.input).toMatchObject({ text: '{"to":"A."}', state: "redacted" });
    expect(seen).toContainEqual({ field: "name", key: undefined, kind: "tool" });
    expect(seen).toContainEqual({ field: "attributes", key: "first", kind: "tool" });
    expect(redact(record)).toEqual(record);
  });

  test("reach into JSON text, and do not hide a secret from the other rules", () => {
    const functions = [
      { name: "own", redact: (text: string) => (text === "Ada" ? "password=hunter2!" : undefined) },
    ];
    expect(cleanName('{"user":"Ada"}', { functions })).toBe('{"user":"password=[redacted:password]"}');
  });

  test("one that throws costs the field, nothing else", () => {
    const boom = () => {
      throw new Error("canary");
    };
    const redact = createRedactor(compileRules({ functions: [{ name: "own", redact: boom }] }));
    const record = redact(makeSpan({ name: "x", input: textContent("canary"), attributes: { a: "canary" } }));
    expect(record.name).toBe("[withheld]");
    expect(record.input).toEqual({ format: "text", state: "not_captured", reason: "cleaning it failed" });
    expect(JSON.stringify(record)).not.toContain("canary");
  });
});

test("a name that cannot stand in a replacement is refused", () => {
  expect(() => compileRules({ patterns: [{ name: "a b", pattern: "x" }] })).toThrow(
    /letters, digits and dashes/,
  );
});
