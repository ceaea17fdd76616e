// What every contender records: one shape of execution, in three payloads. Plain data, so that peers can import it.
import { codeText, jsonRows, proseText } from "./texts.ts";

/** S: ten attributes a span. M and L: also content on each model call and tool, of 4 KB and 100 KB. */
export type Payload = "S" | "M" | "L";

export const NODES = 7;
/** The workflow; in it nodes, each with a model call and a tool. */
export const SPANS = 1 + NODES * 3;
export const MODEL = "gpt-4.1-mini";
export const PROVIDER = "openai";
export const USAGE = { input: 1_200, output: 300 };

const CONTENT_BYTES: Record<Payload, number> = { S: 0, M: 4_000, L: 100_000 };
const VARIANTS = 16;

/** What a model or a tool was asked and answered; nothing with payload S. */
export interface Exchange {
  messages?: { role: string; content: string }[];
  answer?: string;
  arguments?: Record<string, string | number>;
  result?: Record<string, unknown>[];
}

/** Gives the exchanges of model calls and tools in turn: as many different ones as no cache would expect. */
export function createExchanges(payload: Payload): () => Exchange {
  const bytes = CONTENT_BYTES[payload];
  if (bytes === 0) return () => NOTHING;
  const pool: Exchange[] = [];
  for (let variant = 0; variant < VARIANTS; variant++) {
    pool.push({
      messages: [
        { role: "system", content: "You review documents. Answer with the findings alone." },
        { role: "user", content: proseText((bytes * 3) / 4, variant) },
      ],
      answer: (variant % 2 === 0 ? proseText : codeText)(bytes / 4, variant + VARIANTS),
      arguments: { query: proseText(200, variant), limit: 50 },
      result: jsonRows(bytes - 200, variant),
    });
  }
  let count = 0;
  return () => pool[count++ % VARIANTS] as Exchange;
}

const NOTHING: Exchange = {};

let made = 0;

/** Payload S of the budgets: ten attributes, as a host sets them. Three of the six texts are new on every span. */
export function attributesOf(step: number): Record<string, string | number | boolean> {
  made++;
  return {
    "app.step": step,
    "app.step.name": `Step ${step} of the review`,
    "app.customer": `customer-${made}`,
    "app.region": "eu-central-1",
    "app.retryable": true,
    "app.queue": "default",
    "app.document.pages": 12,
    "app.document.name": `invoice-${made}.pdf`,
    "app.confidence": 0.87,
    "app.note": `Read all pages, found ${made} totals and compared them with the order.`,
  };
}
