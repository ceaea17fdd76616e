import {
  isSpanloomError,
  type RejectedSpan,
  recordProblem,
  type SpanRecord,
  type WriteReceipt,
} from "@spanloom/model";
import { decodeReceipt, encodeSpans } from "@spanloom/model/http";
import type { HttpConnection } from "./connection.ts";

/** What one request may hold: well below what a server takes, and a single span of any size goes alone. */
const MOST_SPANS = 1_000;
const MOST_BYTES = 4_000_000;

interface Batched {
  text: string;
  /** Its place in the whole write. */
  index: number;
}

const encoder = new TextEncoder();

/**
 * Writes in requests of bounded size, one after the other. Where one fails the write rejects, although those before it
 * were stored: writing is idempotent, so the caller writes all of them again.
 */
export async function writeOver(
  connection: HttpConnection,
  spans: readonly SpanRecord[],
): Promise<WriteReceipt> {
  const total: WriteReceipt = { written: 0, unchanged: 0, rejected: [] };
  // At once, before anything is waited for: whoever gave the records may go on to change them.
  const batches = batchesOf(spans, total.rejected);

  /** A batch that is too much for the server, or for a proxy before it, goes again in halves. */
  async function send(spans: readonly Batched[]): Promise<void> {
    const [first] = spans;
    if (first === undefined) return;
    try {
      const body = `{"spans":[${spans.map(({ text }) => text).join(",")}]}`;
      const receipt = await connection.post("/spans", body, decodeReceipt);
      total.written += receipt.written;
      total.unchanged += receipt.unchanged;
      for (const one of receipt.rejected) {
        total.rejected.push({ ...one, index: spans[one.index]?.index ?? one.index });
      }
    } catch (error) {
      if (!isSpanloomError(error) || error.code !== "limit_exceeded") throw error;
      if (spans.length === 1) {
        total.rejected.push({ index: first.index, code: "limit_exceeded", message: error.message });
        return;
      }
      const middle = Math.ceil(spans.length / 2);
      await send(spans.slice(0, middle));
      await send(spans.slice(middle));
    }
  }

  for (const batch of batches) await send(batch);
  total.rejected.sort((a, b) => a.index - b.index);
  return total;
}

/** The records as requests send them; what is no record goes to `rejected`. */
function batchesOf(spans: readonly SpanRecord[], rejected: RejectedSpan[]): Batched[][] {
  const batches: Batched[][] = [];
  let size = 0;
  for (const [index, span] of spans.entries()) {
    // JSON would turn what is no record into another one: NaN into null, for example.
    const problem = recordProblem(span);
    if (problem !== undefined) {
      rejected.push({ index, code: "invalid_record", message: problem });
      continue;
    }
    const text = JSON.stringify(encodeSpans([span]).spans[0]);
    // Servers count bytes: text in most of the world's scripts has two or three for each character.
    const bytes = encoder.encode(text).byteLength;
    const last = batches.at(-1);
    if (last === undefined || last.length === MOST_SPANS || size + bytes > MOST_BYTES) {
      batches.push([{ text, index }]);
      size = bytes;
    } else {
      last.push({ text, index });
      size += bytes;
    }
  }
  return batches;
}
