import { Annotation, type CompiledStateGraph, END, Send, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import type { Models } from "../models/create-models.ts";
import { ask, askFor, write } from "./ask-model.ts";
import { readDocument } from "./documents.ts";
import {
  assertReadable,
  type Finding,
  findingShape,
  type Invoice,
  type InvoiceLine,
  invoiceShape,
} from "./invoice.ts";
import { createCalculateTotals } from "./tools/calculate-totals.ts";
import { createExchangeRate, ServiceNotReadyError } from "./tools/exchange-rate.ts";
import { createLookupVendor } from "./tools/lookup-vendor.ts";
import { createSearchHandbook } from "./tools/search-handbook.ts";

/** The policy forbids the payment. The run fails, so that nobody overlooks it. */
class PolicyViolationError extends Error {
  override readonly name = "PolicyViolationError";
}

const decisionShape = z.object({ decision: z.enum(["pay", "ask", "reject"]), reasons: z.array(z.string()) });

const state = Annotation.Root({
  documentId: Annotation<string>,
  text: Annotation<string>,
  invoice: Annotation<Invoice>,
  rate: Annotation<number>,
  tags: Annotation<{ category: string; amount: number }[]>({
    reducer: (all, more) => all.concat(more),
    default: () => [],
  }),
  findings: Annotation<Finding[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
  decision: Annotation<z.infer<typeof decisionShape>>,
  letter: Annotation<string>,
});
type State = typeof state.State;

/**
 * Reads an invoice, checks it from four sides at once, and pays it, asks for approval, or refuses it.
 *
 *     read_document -> extract_fields -> tag_line (each line)  \
 *                                        check_vendor           > check_policy -> decide -> post_payment
 *                                        check_totals          /                         -> ask_approval
 *                                        convert_currency (if foreign, retried)          -> refuse (fails)
 */
// The graph's own type spells out every node and channel; what callers need is `invoke`.
export function createInvoiceTriage(
  models: Models,
): Pick<CompiledStateGraph<State, Partial<State>>, "invoke" | "stream"> {
  const lookupVendor = createLookupVendor();
  const searchHandbook = createSearchHandbook();
  const calculateTotals = createCalculateTotals();
  const exchangeRate = createExchangeRate();

  return new StateGraph(state)
    .addNode("read_document", async ({ documentId }) => {
      const document = await readDocument(documentId);
      assertReadable(document);
      return { text: document.text };
    })
    .addNode("extract_fields", async ({ text }) => ({
      invoice: await askFor(models.reader, invoiceShape, {
        instruction:
          "Extract the fields of an invoice. Answer with JSON only: number, vendor, date, due, currency, purchase_order " +
          "(null where there is none), lines [{item, quantity, unit_price, amount}], subtotal, tax, total.",
        prompt: text,
      }),
    }))
    .addNode("tag_line", async (line: InvoiceLine) => {
      const category = await ask(models.tagger, {
        instruction:
          "Name the category of a line of an invoice: alcohol, catering, travel and delivery, labour, office supplies, " +
          "equipment or other. Answer with the category alone.",
        prompt: line.item,
      });
      return { tags: [{ category: category.trim(), amount: line.amount }] };
    })
    .addNode("check_vendor", async ({ invoice }) => ({
      findings: [
        await askFor(models.reader, findingShape, {
          instruction:
            "Check the vendor of an invoice. Look it up first. Answer with JSON only: verdict (pay, ask where the total is " +
            "over the vendor's limit, reject where the vendor is blocked or unknown), reason, section of the policy.",
          prompt: `Vendor:\n${invoice.vendor}\n\nTotal:\n${invoice.total}`,
          tools: [lookupVendor],
        }),
      ],
    }))
    .addNode("check_totals", async ({ invoice }) => {
      const { agrees, problems } = z
        .object({ agrees: z.boolean(), problems: z.array(z.string()) })
        .parse(JSON.parse(await calculateTotals.invoke(invoice)));
      return {
        findings: agrees
          ? []
          : [{ verdict: "ask" as const, reason: problems.join(" "), section: "Approval limits" }],
      };
    })
    .addNode(
      "convert_currency",
      async ({ invoice }) => {
        const answer = await exchangeRate.invoke({ currency: invoice.currency });
        return { rate: z.object({ usd: z.number() }).parse(JSON.parse(answer)).usd };
      },
      {
        retryPolicy: {
          maxAttempts: 3,
          initialInterval: 60,
          jitter: false,
          logWarning: false,
          retryOn: (error: unknown) => error instanceof ServiceNotReadyError,
        },
      },
    )
    .addNode("check_policy", async ({ invoice, tags, rate }) => ({
      findings: (
        await askFor(models.reader, z.object({ findings: z.array(findingShape) }), {
          instruction:
            "Check the invoice against the policy. Search the handbook first. Answer with JSON only: findings " +
            "[{verdict (ask or reject), reason, section}], empty where nothing speaks against it.",
          prompt: [
            `Total:\n${((rate ?? 1) * invoice.total).toFixed(2)}`,
            `Purchase order:\n${invoice.purchase_order ?? "none"}`,
            `Categories:\n${tags.map(({ category, amount }) => `${category}: ${amount.toFixed(2)}`).join("\n")}`,
          ].join("\n\n"),
          tools: [searchHandbook],
        })
      ).findings,
    }))
    .addNode("decide", async ({ findings }) => ({
      decision: await askFor(models.reader, decisionShape, {
        instruction:
          "Decide what happens to the invoice. The strictest finding wins. Answer with JSON only: decision (pay, ask or " +
          "reject) and reasons.",
        prompt: `Findings:\n${findings.map((finding) => JSON.stringify(finding)).join("\n")}`,
      }),
    }))
    .addNode("post_payment", async (current) => ({ letter: await letter(models, "payment note", current) }))
    .addNode("ask_approval", async (current) => ({
      letter: await letter(models, "request for approval", current),
    }))
    .addNode("refuse", ({ invoice, decision }) => {
      throw new PolicyViolationError(`${invoice.number} may not be paid. ${decision.reasons.join(" ")}`);
    })
    .addEdge(START, "read_document")
    .addEdge("read_document", "extract_fields")
    .addConditionalEdges(
      "extract_fields",
      ({ invoice }) => [
        ...invoice.lines.map((line) => new Send("tag_line", line)),
        "check_vendor",
        "check_totals",
        ...(invoice.currency === "USD" ? [] : ["convert_currency"]),
      ],
      ["tag_line", "check_vendor", "check_totals", "convert_currency"],
    )
    .addEdge("tag_line", "check_policy")
    .addEdge("check_vendor", "check_policy")
    .addEdge("check_totals", "check_policy")
    .addEdge("convert_currency", "check_policy")
    .addEdge("check_policy", "decide")
    .addConditionalEdges(
      "decide",
      ({ decision }) => ({ pay: "post_payment", ask: "ask_approval", reject: "refuse" })[decision.decision],
      ["post_payment", "ask_approval", "refuse"],
    )
    .addEdge("post_payment", END)
    .addEdge("ask_approval", END)
    .compile({ name: "invoice-triage" });
}

function letter(models: Models, kind: string, { invoice, decision }: State): Promise<string> {
  const { number, vendor, total, currency, due } = invoice;
  return write(models.writer, {
    instruction: `Write the ${kind} for an invoice: short, plain, with every reason.`,
    prompt: `Facts:\n${JSON.stringify({ number, vendor, total, currency, due })}\n\nReasons:\n${decision.reasons.join("\n")}`,
  });
}
