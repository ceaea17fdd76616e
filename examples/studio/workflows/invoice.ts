import { z } from "zod";
import { MalformedDocumentError, type SourceDocument } from "./documents.ts";

export const invoiceShape = z.object({
  number: z.string().min(1),
  vendor: z.string().min(1),
  date: z.string(),
  due: z.string(),
  currency: z.string().length(3),
  purchase_order: z.string().nullable(),
  lines: z
    .array(z.object({ item: z.string(), quantity: z.number(), unit_price: z.number(), amount: z.number() }))
    .min(1),
  subtotal: z.number(),
  tax: z.number(),
  total: z.number(),
});
export type Invoice = z.infer<typeof invoiceShape>;
export type InvoiceLine = Invoice["lines"][number];

export const findingShape = z.object({
  verdict: z.enum(["pay", "ask", "reject"]),
  reason: z.string(),
  section: z.string(),
});
export type Finding = z.infer<typeof findingShape>;

/** Throws where a table has cells that are no numbers, or the text is no invoice: a model would make something up. */
export function assertReadable(document: SourceDocument): void {
  if (!/invoice/i.test(document.text)) {
    throw new MalformedDocumentError(`${document.id} is not an invoice: the word does not occur in it.`);
  }
  if (document.format !== "csv") return;
  for (const [index, line] of document.text.trim().split("\n").entries()) {
    if (line.startsWith("#") || line.startsWith("item,")) continue;
    const cells = line.split(",");
    if (cells.length !== 4) {
      throw new MalformedDocumentError(
        `${document.id}, line ${index + 1}: there are ${cells.length} columns, 4 were expected.`,
      );
    }
    const wrong = cells.slice(1).find((cell) => !/^\d+(\.\d+)?$/.test(cell));
    if (wrong !== undefined)
      throw new MalformedDocumentError(`${document.id}, line ${index + 1}: "${wrong}" is not a number.`);
  }
}
