import type { ListExecutionsQuery } from "@spanloom/model";
import { expect, test } from "vitest";
import { readQuery } from "./list-query.ts";

test.each(["failed", "", null, { failed: true }, ["banana"], [undefined]])(
  "the filter status %j is refused as what it is: a mistake of the caller",
  (status) => {
    expect(() => readQuery({ status } as ListExecutionsQuery)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  },
);
