import type { Skill } from "../skill.ts";

/** Reads the fields of an invoice out of Markdown, aligned text or CSV. */
export const extractInvoice: Skill = {
  handles: (instruction) => /extract the fields of an invoice/i.test(instruction),
  answer: ({ prompt }) =>
    JSON.stringify({
      number: field(prompt, "invoice no|invoice"),
      vendor: field(prompt, "vendor"),
      date: field(prompt, "date"),
      due: field(prompt, "due"),
      currency: field(prompt, "currency"),
      purchase_order: /^PO-/.test(field(prompt, "purchase order")) ? field(prompt, "purchase order") : null,
      lines: linesOf(prompt),
      subtotal: Number(field(prompt, "subtotal")),
      tax: Number(field(prompt, "tax")),
      total: Number(field(prompt, "total")),
    }),
};

/** Puts one line of an invoice into a category. */
export const tagLine: Skill = {
  handles: (instruction) => /name the category/i.test(instruction),
  answer: ({ prompt }) => {
    const text = prompt.toLowerCase();
    return categories.find(([, words]) => words.test(text))?.[0] ?? "other";
  },
};

const categories: [string, RegExp][] = [
  ["alcohol", /wine|beer|spirits/],
  ["catering", /buffet|lunch|dinner|coffee/],
  ["travel and delivery", /delivery|travel|transport|pallet|freight/],
  ["labour", /staff|hours|electrician/],
  ["office supplies", /paper|envelope|marker|notebook|organiser|pen/],
  ["equipment", /wrench|key set|vice|board|cable|goggles|tool/],
];

function field(text: string, names: string): string {
  const found =
    new RegExp(`^[#\\s-]*(?:${names})\\s*[,:]\\s*(.+)$`, "im").exec(text) ??
    new RegExp(`^#\\s*(?:${names})\\s+(\\S+)$`, "im").exec(text);
  return found?.[1]?.trim() ?? "";
}

interface Line {
  item: string;
  quantity: number;
  unit_price: number;
  amount: number;
}

const lineShapes = [
  /^\|\s*([^|]+?)\s*\|\s*(\d+)\s*\|\s*([\d.]+)\s*\|\s*([\d.]+)\s*\|$/,
  /^\s+(\S.*?)\s{2,}(\d+) x ([\d.]+)\s+([\d.]+)$/,
  /^([^#,][^,]*),(\d+),([\d.]+),([\d.]+)$/,
];

function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    const found = lineShapes.map((shape) => shape.exec(line)).find((match) => match !== null);
    if (!found) return [];
    const [, item = "", quantity, price, amount] = found;
    return [
      { item: item.trim(), quantity: Number(quantity), unit_price: Number(price), amount: Number(amount) },
    ];
  });
}
