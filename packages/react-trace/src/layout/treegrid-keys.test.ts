import { expect, test } from "vitest";
import { commandForKey, findTyped, type GridPlace } from "./treegrid-keys.ts";

const place: GridPlace = {
  row: 10,
  rowCount: 100,
  pageRows: 20,
  open: true,
  parentRow: 4,
  rightToLeft: false,
};
const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

function press(key: string, change: Partial<GridPlace> = {}, held: Partial<typeof plain> = {}): unknown {
  return commandForKey({ key, ...plain, ...held }, { ...place, ...change });
}

test("moves through rows and stops at the ends", () => {
  expect(press("ArrowDown")).toEqual({ type: "focus", row: 11 });
  expect(press("ArrowUp", { row: 0 })).toEqual({ type: "focus", row: 0 });
  expect(press("Home")).toEqual({ type: "focus", row: 0 });
  expect(press("End")).toEqual({ type: "focus", row: 99 });
  expect(press("PageDown", { row: 95 })).toEqual({ type: "focus", row: 99 });
  expect(press("PageUp", { row: 30 })).toEqual({ type: "focus", row: 11 });
});

test("right opens, then goes in; left closes, then goes out", () => {
  expect(press("ArrowRight", { open: false })).toEqual({ type: "open", row: 10 });
  expect(press("ArrowRight")).toEqual({ type: "focus", row: 11 });
  expect(press("ArrowRight", { open: undefined })).toBeUndefined();
  expect(press("ArrowLeft")).toEqual({ type: "close", row: 10 });
  expect(press("ArrowLeft", { open: false })).toEqual({ type: "focus", row: 4 });
  expect(press("ArrowLeft", { open: undefined, parentRow: -1 })).toBeUndefined();
});

test("right-to-left swaps the two", () => {
  expect(press("ArrowLeft", { open: false, rightToLeft: true })).toEqual({ type: "open", row: 10 });
  expect(press("ArrowRight", { rightToLeft: true })).toEqual({ type: "close", row: 10 });
});

test("selects, opens siblings, types ahead, and leaves the rest to the browser", () => {
  expect(press("Enter")).toEqual({ type: "select", row: 10 });
  expect(press(" ")).toEqual({ type: "select", row: 10 });
  expect(press("*")).toEqual({ type: "open-siblings", row: 10 });
  expect(press("ö")).toEqual({ type: "type-ahead", character: "ö" });
  expect(press("Tab")).toBeUndefined();
  expect(press("c", {}, { ctrlKey: true })).toBeUndefined();
  expect(press("ArrowLeft", {}, { altKey: true })).toBeUndefined();
  expect(press("ArrowDown", { rowCount: 0 })).toBeUndefined();
});

test("type-ahead: the same letter goes on, a longer text stays", () => {
  const names = ["alpha", "beta", "bet", "gamma"];
  const find = (typed: string, row: number): number => findTyped(typed, row, 4, (at) => names[at] ?? "");
  expect(find("b", 0)).toBe(1);
  expect(find("b", 1)).toBe(2);
  expect(find("bb", 2)).toBe(1);
  expect(find("beta", 1)).toBe(1);
  expect(find("z", 0)).toBe(-1);
});
