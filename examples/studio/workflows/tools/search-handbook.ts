import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { contentWords, overlap } from "../../models/text.ts";
import { listDocuments, readDocument } from "../documents.ts";
import { sectionsOf } from "../sections.ts";

/** Sections of the handbook by the words that they share with a query; a word in the title counts double. */
class HandbookRetriever extends BaseRetriever {
  lc_namespace = ["studio"];

  static override lc_name(): string {
    return "handbook";
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    const wanted = contentWords(query);
    const books = await Promise.all((await listDocuments("handbook")).map(({ id }) => readDocument(id)));
    return books
      .flatMap((book) => sectionsOf(book.text).map((section) => ({ ...section, source: book.id })))
      .map((section) => ({
        section,
        score: overlap(wanted, `${section.title} ${section.text}`) + overlap(wanted, section.title),
      }))
      .filter(({ score }) => score > 1)
      .sort((left, right) => right.score - left.score)
      .slice(0, 2)
      .map(
        ({ section, score }) =>
          new Document({
            pageContent: `## ${section.title}\n${section.text}`,
            metadata: { source: section.source, score },
          }),
      );
  }
}

/** Searches the handbook and gives the passages that fit best. */
export function createSearchHandbook(): StructuredToolInterface {
  const retriever = new HandbookRetriever();
  return tool(
    async ({ query }: { query: string }) => {
      const found = await retriever.invoke(query);
      return found.map((document) => document.pageContent).join("\n\n") || "Nothing was found.";
    },
    {
      name: "search_handbook",
      description: "Searches the company's handbook and gives the passages that fit best.",
      schema: z.object({ query: z.string() }),
    },
  );
}
