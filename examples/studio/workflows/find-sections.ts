import { contentWords, overlap } from "../models/text.ts";
import type { SourceDocument } from "./documents.ts";
import { type Section, sectionsOf } from "./sections.ts";

export interface FoundSection extends Section {
  /** The id of its document. */
  source: string;
  score: number;
}

/** The two sections that share most words with a query; a word in the title counts double. */
export function findSections(query: string, books: readonly SourceDocument[]): FoundSection[] {
  const wanted = contentWords(query);
  return books
    .flatMap((book) => sectionsOf(book.text).map((section) => ({ ...section, source: book.id })))
    .map((section) => ({
      ...section,
      score: overlap(wanted, `${section.title} ${section.text}`) + overlap(wanted, section.title),
    }))
    .filter(({ score }) => score > 1)
    .sort((left, right) => right.score - left.score)
    .slice(0, 2);
}

/** As tools give them to a model. */
export function passagesOf(found: readonly Section[]): string {
  return found.map(({ title, text }) => `## ${title}\n${text}`).join("\n\n") || "Nothing was found.";
}
