import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { readVendors } from "../documents.ts";

/** Finds a vendor in the directory by name. */
export function createLookupVendor(): StructuredToolInterface {
  return tool(
    async ({ name }: { name: string }) => {
      const [header = "", ...rows] = (await readVendors()).trim().split("\n");
      const keys = header.split(",");
      const wanted = name.trim().toLowerCase();
      const row = rows.map((line) => line.split(",")).find((cells) => cells[1]?.toLowerCase() === wanted);
      if (!row) return JSON.stringify({ name, found: false });
      return JSON.stringify(Object.fromEntries(keys.map((key, index) => [key, row[index] ?? ""])));
    },
    {
      name: "lookup_vendor",
      description: "Looks a vendor up in the directory: status, approval limit, payment terms.",
      schema: z.object({ name: z.string() }),
    },
  );
}
