import { expect, test } from "vitest";
import { createTranslate } from "./messages.ts";

const texts = {
  "term.node": "Node",
  hello: "Hello {name}, {name}",
  "spans.one": "{count} span",
  "spans.other": "{count} spans",
} as const;

test("fills names wherever they stand, and leaves what nobody gave", () => {
  const t = createTranslate(texts, {}, "en");
  expect(t("hello", { name: "Ada" })).toBe("Hello Ada, Ada");
  expect(t("hello")).toBe("Hello {name}, {name}");
});

test("the host's words go before ours", () => {
  expect(createTranslate(texts, { "term.node": "Block" }, "en")("term.node")).toBe("Block");
});

test("a count chooses the plural form of the language", () => {
  const t = createTranslate(texts, {}, "en");
  expect([0, 1, 2].map((count) => t("spans", { count }))).toEqual(["0 spans", "1 span", "2 spans"]);
  const polish = {
    "spans.one": "{count} odcinek",
    "spans.few": "{count} odcinki",
    "spans.many": "{count} odcinków",
  };
  const pl = createTranslate(texts, polish, "pl");
  expect([1, 3, 5].map((count) => pl("spans", { count }))).toEqual(["1 odcinek", "3 odcinki", "5 odcinków"]);
  const ja = createTranslate(texts, { "spans.other": "{count} 件" }, "ja");
  expect(ja("spans", { count: 1 })).toBe("1 件");
});

test("a form that a translation lacks falls back instead of vanishing", () => {
  expect(createTranslate(texts, {}, "ar")("spans", { count: 3 })).toBe("3 spans");
});
