import { expect, test } from "vitest";
import { reportSkips } from "./skipped-reporter.ts";

const skipped = {
  file: "packages/store/src/redis.test.ts",
  test: "cache > expires",
  reason: "no redis-server here",
};
const listed = { file: skipped.file, test: skipped.test, why: "needs a Redis" };

test("a listed skip is shown with its reason and passes", () => {
  const { lines, refused } = reportSkips([skipped], [listed]);
  expect(refused).toBe(0);
  expect(lines).toContain("  packages/store/src/redis.test.ts > cache > expires: no redis-server here");
});

test("a skip that is not on the list fails the run and says how to mend it", () => {
  const { lines, refused } = reportSkips([skipped], [{ ...listed, test: "cache > fills" }]);
  expect(refused).toBe(1);
  expect(lines.join("\n")).toMatch(/NOT ALLOWED.*cache > expires[\s\S]*scripts\/allowed-skips\.json/);
});

test("a listed skip without a reason fails, too", () => {
  const { lines, refused } = reportSkips([{ ...skipped, reason: undefined }], [listed]);
  expect(refused).toBe(1);
  expect(lines.join("\n")).toContain("NO REASON GIVEN");
});

test("an entry without a test name stands for its whole file, and no other", () => {
  const wholeFile = { file: skipped.file, why: "needs a Redis" };
  expect(reportSkips([skipped], [wholeFile]).refused).toBe(0);
  expect(reportSkips([{ ...skipped, file: "packages/store/src/other.test.ts" }], [wholeFile]).refused).toBe(
    1,
  );
});

test("nothing skipped, nothing said", () => {
  expect(reportSkips([], [listed])).toEqual({ lines: [], refused: 0 });
});
