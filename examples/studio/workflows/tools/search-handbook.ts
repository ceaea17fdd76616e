import { Document } from "@langchain/core/documents";
import { BaseRetriever } from "@langchain/core/retrievers";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { listDocuments, readDocument } from "../documents.ts";
import { findSections, passagesOf } from "../find-sections.ts";

/** Sections of the handbook by the words that they share with a query. */
class HandbookRetriever extends BaseRetriever {
  lc_namespace = ["studio"];

  static override lc_name(): string {
    return "handbook";
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    const books = await Promise.all((await listDocuments("handbook")).map(({ id }) => readDocument(id)));
    return findSections(query, books).map(
      ({ source, score, ...section }) =>
        new Document({ pageContent: passagesOf([section]), metadata: { source, score } }),
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
