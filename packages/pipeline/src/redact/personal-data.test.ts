import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { compileRules } from "./compile-rules.ts";
import type { PersonalDataOptions } from "./personal-data.ts";
import { createRedactor } from "./redact-span.ts";

const all = createRedactor(compileRules({ personalData: true }));
const byDefault = createRedactor(compileRules());

function clean(text: string, personalData: PersonalDataOptions = true): string {
  return createRedactor(compileRules({ personalData }))(makeSpan({ name: text })).name;
}

describe("found", () => {
  test.each([
    ["card", "4111111111111111"],
    ["card", "4111 1111 1111 1111"],
    ["card", "4111-1111-1111-1111"],
    ["card", "5555555555554444"],
    ["card", "2223 0031 2200 3222"],
    ["card", "378282246310005"],
    ["card", "3782 822463 10005"],
    ["card", "6011111111111117"],
    ["card", "3530111333300000"],
    ["card", "30569309025904"],
    ["iban", "DE89370400440532013000"],
    ["iban", "DE89 3704 0044 0532 0130 00"],
    ["iban", "GB29 NWBK 6016 1331 9268 19"],
    ["iban", "NO9386011117947"],
    ["iban", "MT84MALT011000012345MTLCAST001S"],
    ["iban", "de89370400440532013000"],
    ["ssn", "123-45-6789"],
    ["email", "ada@example.com"],
    ["email", "Ada.Lovelace+notes@mail.example.co.uk"],
    ["email", "jürgen@example.de"],
    ["email", "ada%40example.com"],
    ["phone", "+44 20 7946 0958"],
    ["phone", "+49 (30) 901820"],
    ["phone", "+14155552671"],
    ["phone", "(415) 555-2671"],
    ["phone", "415-555-2671"],
    ["phone", "1-415-555-2671"],
  ])("%s: %s", (rule, value) => {
    for (const around of [
      (text: string) => text,
      (text: string) => `Send it to ${text}, please.`,
      (text: string) => `{"a":"${text}"}`,
      (text: string) => `a=1&b=${text}&c=2`,
      (text: string) => `line one\\n${text}\\nline two`,
      (text: string) => `(${text})`,
      (text: string) => `"${text}" 12 34`,
    ]) {
      expect(clean(around(value))).toBe(around(`[redacted:${rule}]`));
    }
  });

  test.each([
    ["my SSN is 123456789, thanks", "my SSN is [redacted:ssn], thanks"],
    ["social security number: 123 45 6789", "social security number: [redacted:ssn]"],
    ['{"phone":"5552671","fax":null}', '{"phone":"[redacted:phone]","fax":null}'],
    ['{"phone_number":"030 901820"}', '{"phone_number":"[redacted:phone]"}'],
    ["Tel.: 0151/23456789", "Tel.: [redacted:phone]"],
    ["card%204111111111111111", "card%20[redacted:card]"],
    ["2026-11-21 4111 1111 1111 1111 12/27", "2026-11-21 [redacted:card] 12/27"],
    ["mailto:ada@example.com?subject=x", "mailto:[redacted:email]?subject=x"],
    ["Ada <ada@example.com>, Bob <bob@example.org>", "Ada <[redacted:email]>, Bob <[redacted:email]>"],
  ])("by what stands around: %s", (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test("a number that is no text", () => {
    const record = all(makeSpan({ attributes: { paid: 4111111111111111, other: 4111111111111112 } }));
    expect(record.attributes).toEqual({ paid: "[redacted:card]", other: 4111111111111112 });
    expect(record.redactions).toEqual([{ rule: "card", count: 1 }]);
  });
});

describe("left alone", () => {
  test.each([
    "4111111111111112 has a wrong check digit",
    "1795167000000000001 is a time",
    "0.4111111111111111 is a share, and so is 4111111111111111.5",
    "a4111111111111111 and 4111111111111111f are hex",
    "9b2f6a54-4111-4111-8111-111111111111",
    "41111111111111111111111 is longer than any card",
    "4111 1111 11111111 is not how one is printed",
    "DE88370400440532013000 has a wrong check",
    "DE8937040044053201300 is too short",
    "XX89370400440532013000",
    "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
    "1123-45-6789 and 123-45-67890 and v123-45-6789",
    "npm install @spanloom/model@1.2.3 and react@19.3.0",
    "git@github.com:owner/name.git and ssh://git@github.com/owner/name",
    "@Component() logo@2x.png user@localhost",
    "2026-11-21T09:30:00.000000001Z took 12.5 ms, cost 0.0035 USD, 4096 tokens",
    "10.0.0.1 192.168.100.200 1.2.3.4 v1.22.333-4444",
    "x += 1234567890; y = a+12345678901",
    "415 555 2671 might be three numbers",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "ISBN 978-3-16-148410-0, order 2026-000123, ticket 415-5552",
  ])("%s", (text) => {
    expect(clean(text)).toBe(text);
  });
});

describe("chosen", () => {
  const text = "4111111111111111 DE89370400440532013000 123-45-6789 ada@example.com +14155552671";

  test("by default the numbers that do harm by themselves", () => {
    expect(byDefault(makeSpan({ name: text })).name).toBe(
      "[redacted:card] [redacted:iban] [redacted:ssn] ada@example.com +14155552671",
    );
  });

  test("one by one, all or none", () => {
    expect(clean(text, { email: true, card: false })).toBe(
      "4111111111111111 [redacted:iban] [redacted:ssn] [redacted:email] +14155552671",
    );
    expect(clean(text, true)).toBe(
      "[redacted:card] [redacted:iban] [redacted:ssn] [redacted:email] [redacted:phone]",
    );
    expect(clean(text, false)).toBe(text);
  });

  test("a rule that does not exist is refused", () => {
    const misspelt = { emial: true } as PersonalDataOptions;
    expect(() => compileRules({ personalData: misspelt })).toThrow(/no rule for the personal data "emial"/);
  });
});
