import { type RejectedSpan, recordProblem, type SpanRecord, type WriteReceipt } from "@spanloom/model";
import { decodeReceipt, encodeSpans } from "@spanloom/model/http";
import type { HttpConnection } from "./connection.ts";

/** What one request may hold: well below what a server takes, and a single span of any size goes alone. */
const MOST_SPANS = 1_000;
const MOST_BYTES = 4_000_000;

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
  let texts: string[] = [];
  let places: number[] = [];
  let size = 0;

  async function send(): Promise<void> {
    if (texts.length === 0) return;
    const body = `{"spans":[${texts.join(",")}]}`;
    const sent = places;
    texts = [];
    places = [];
    size = 0;
    const receipt = await connection.post("/spans", body, decodeReceipt);
    total.written += receipt.written;
    total.unchanged += receipt.unchanged;
    for (const one of receipt.rejected) total.rejected.push({ ...one, index: sent[one.index] ?? one.index });
  }

  for (const [index, span] of spans.entries()) {
    // JSON would turn what is no record into another one: NaN into null, for example.
    const problem = recordProblem(span);
    if (problem !== undefined) {
      total.rejected.push({ index, code: "invalid_record", message: problem } satisfies RejectedSpan);
      continue;
    }
    const text = JSON.stringify(encodeSpans([span]).spans[0]);
    // Servers count bytes: text in most of the world's scripts has two or three for each character.
    const bytes = encoder.encode(text).byteLength;
    if (texts.length === MOST_SPANS || (texts.length > 0 && size + bytes > MOST_BYTES)) await send();
    texts.push(text);
    places.push(index);
    size += bytes;
  }
  await send();
  total.rejected.sort((a, b) => a.index - b.index);
  return total;
}
