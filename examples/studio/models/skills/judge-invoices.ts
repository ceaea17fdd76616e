import { type Request, type Skill, section } from "../skill.ts";

/** Looks the vendor up with a tool and says what follows from it. */
export const checkVendor: Skill = {
  handles: (instruction) => /check the vendor/i.test(instruction),
  answer: ({ prompt, toolAnswers, tools }) => {
    const found = toolAnswers.find(({ name }) => name === "lookup_vendor");
    if (!found && tools.includes("lookup_vendor"))
      return [{ name: "lookup_vendor", args: { name: section(prompt, "Vendor") } }];
    const vendor = readJson(found?.text);
    const total = Number(section(prompt, "Total"));
    const limit = Number(vendor.approval_limit);
    if (vendor.status === undefined)
      return finding("reject", "The vendor is not in the directory.", "Blocked vendors");
    if (vendor.status === "blocked")
      return finding("reject", `${vendor.name} is blocked: ${vendor.note}.`, "Blocked vendors");
    if (total > limit) {
      return finding(
        "ask",
        `${total.toFixed(2)} is over the approval limit of ${limit} for ${vendor.name}.`,
        "Approval limits",
      );
    }
    return finding("pay", `${vendor.name} is approved up to ${limit}.`, "Approval limits");
  },
};

/** Searches the policy for what the invoice holds, then compares. */
export const checkPolicy: Skill = {
  handles: (instruction) => /check the invoice against the policy/i.test(instruction),
  answer: ({ prompt, toolAnswers, tools }) => {
    const categories = section(prompt, "Categories").split("\n").filter(Boolean);
    const order = section(prompt, "Purchase order");
    const total = Number(section(prompt, "Total"));
    if (toolAnswers.length === 0 && tools.includes("search_handbook")) {
      const topics = [...new Set(categories.map((line) => line.split(":")[0] ?? ""))];
      return [
        { name: "search_handbook", args: { query: `${topics.join(" ")} paid for` } },
        { name: "search_handbook", args: { query: "purchase order for an invoice over the limit" } },
      ];
    }
    const policy = toolAnswers.map(({ text }) => text).join("\n");
    const alcohol = amountOf(categories, "alcohol");
    const alcoholLimit = numberBefore(policy, /Alcohol is paid for up to ([\d,]+)/);
    const orderLimit = numberBefore(policy, /invoice over ([\d,]+) USD must name a purchase order/);
    const findings = [
      ...(orderLimit !== undefined && total > orderLimit && order === "none"
        ? [
            {
              verdict: "ask",
              reason: `Over ${orderLimit} USD without a purchase order.`,
              section: "Purchase orders",
            },
          ]
        : []),
      ...(alcoholLimit !== undefined && alcohol > alcoholLimit
        ? [
            {
              verdict: "ask",
              reason: `Alcohol for ${alcohol.toFixed(2)}, allowed are ${alcoholLimit}.`,
              section: "Catering and alcohol",
            },
          ]
        : []),
    ];
    return JSON.stringify({ findings });
  },
};

/** The strictest verdict wins. */
export const decide: Skill = {
  handles: (instruction) => /decide what happens to the invoice/i.test(instruction),
  answer: ({ prompt }) => {
    const findings: Finding[] = section(prompt, "Findings")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const verdict = ["reject", "ask"].find((kind) => findings.some((one) => one.verdict === kind)) ?? "pay";
    const reasons = findings.filter((one) => one.verdict === verdict).map((one) => one.reason);
    return JSON.stringify({ decision: verdict, reasons });
  },
};

/** A short letter out of facts: a note for the books, or a question to the one who must approve. */
export const writeLetter: Skill = {
  handles: (instruction) => /write the (payment note|request for approval)/i.test(instruction),
  answer: (request) => (/payment note/i.test(request.instruction) ? paymentNote(request) : approval(request)),
};

function paymentNote({ prompt }: Request): string {
  const facts = readJson(section(prompt, "Facts"));
  return (
    `Invoice ${facts.number} of ${facts.vendor} is released for payment: ${facts.total} ${facts.currency}, due on ` +
    `${facts.due}. The totals were recalculated and agree. Reasons: ${section(prompt, "Reasons").replaceAll("\n", " ")}`
  );
}

function approval({ prompt }: Request): string {
  const facts = readJson(section(prompt, "Facts"));
  return (
    `Dear colleague,\n\ninvoice ${facts.number} of ${facts.vendor} over ${facts.total} ${facts.currency} needs your ` +
    `approval before ${facts.due}:\n\n${section(prompt, "Reasons").replace(/^/gm, "- ")}\n\n` +
    "Please answer with approve or decline. Nothing is paid until then.\n\nAccounts payable"
  );
}

interface Finding {
  verdict: string;
  reason: string;
}

function finding(verdict: string, reason: string, policySection: string): string {
  return JSON.stringify({ verdict, reason, section: policySection });
}

function readJson(text = "{}"): Record<string, string | number | undefined> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function amountOf(lines: readonly string[], category: string): number {
  return lines
    .filter((line) => line.startsWith(`${category}:`))
    .reduce((sum, line) => sum + Number(line.slice(category.length + 1)), 0);
}

function numberBefore(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found.replaceAll(",", ""));
}
