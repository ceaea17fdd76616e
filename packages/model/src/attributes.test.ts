import { describe, expect, it } from "vitest";
import { plainAttribute } from "./attributes.ts";

describe("plainAttribute", () => {
  it.each([
    [{ $int: "9007199254740993" }, "9007199254740993"],
    [{ $double: "1" }, 1],
    [{ $double: "NaN" }, "NaN"],
    [{ $bytes: "aGk=" }, "base64:aGk="],
    [
      {
        $map: [
          ["k", 1],
          ["k", { $double: "2" }],
        ],
      },
      { k: 2 },
    ],
    [
      [{ $int: "1" }, null, "x"],
      ["1", null, "x"],
    ],
    [
      { $int: "5", other: true },
      { $int: "5", other: true },
    ],
    [{ $bytes: 5 }, { $bytes: 5 }],
  ])("shows %j as %j", (value, expected) => {
    expect(plainAttribute(value)).toEqual(expected);
  });

  it("keeps __proto__ a key like any other", () => {
    const shown = plainAttribute(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
