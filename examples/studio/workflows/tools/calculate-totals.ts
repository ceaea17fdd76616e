import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";

const invoiceSums = z.object({
  lines: z.array(z.object({ quantity: z.number(), unit_price: z.number(), amount: z.number() })),
  subtotal: z.number(),
  tax: z.number(),
  total: z.number(),
});

/** Adds an invoice up again, in cents, and says what differs. */
export function createCalculateTotals(): StructuredToolInterface {
  return tool(
    ({ lines, subtotal, tax, total }: z.infer<typeof invoiceSums>) => {
      const cents = (value: number): number => Math.round(value * 100);
      const sum = lines.reduce((all, line) => all + cents(line.amount), 0);
      const problems = [
        ...lines.flatMap((line, index) =>
          cents(line.quantity * line.unit_price) === cents(line.amount)
            ? []
            : [`Line ${index + 1} should be ${(line.quantity * line.unit_price).toFixed(2)}.`],
        ),
        ...(sum === cents(subtotal) ? [] : [`The lines add up to ${(sum / 100).toFixed(2)}.`]),
        ...(cents(subtotal) + cents(tax) === cents(total)
          ? []
          : [`Subtotal and tax make ${(subtotal + tax).toFixed(2)}, not ${total.toFixed(2)}.`]),
      ];
      return JSON.stringify({ agrees: problems.length === 0, problems });
    },
    {
      name: "calculate_totals",
      description: "Adds the lines of an invoice up again and compares.",
      schema: invoiceSums,
    },
  );
}
