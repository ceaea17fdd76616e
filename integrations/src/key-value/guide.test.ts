import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const guide = new URL("../../../docs/guides/add-store-adapter.md", import.meta.url);

test.each(["key-value-store.ts", "table.ts", "key-value-store.test.ts"])(
  "docs/guides/add-store-adapter.md shows the whole of %s, by its name",
  async (name) => {
    const text = await readFile(guide, "utf8");
    const file = await readFile(new URL(name, import.meta.url), "utf8");
    expect(text).toContain(`\`${name}\``);
    expect(text).toContain(`\`\`\`ts\n${file.trim()}\n\`\`\``);
  },
);
