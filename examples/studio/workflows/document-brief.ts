import { Annotation, type CompiledStateGraph, END, Send, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import type { Models } from "../models/create-models.ts";
import { ask, askFor, write } from "./ask-model.ts";
import { MalformedDocumentError, readDocument, type SourceDocument } from "./documents.ts";
import { type Section, sectionsOf } from "./sections.ts";
import { createSearchHandbook } from "./tools/search-handbook.ts";

const state = Annotation.Root({
  documentId: Annotation<string>,
  document: Annotation<SourceDocument>,
  /** Sections of a handbook, or questions of an e-mail. */
  parts: Annotation<Section[]>,
  notes: Annotation<Section[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
  missing: Annotation<string[]>,
  drafts: Annotation<number>({ reducer: (all, more) => all + more, default: () => 0 }),
  brief: Annotation<string>,
});
type State = typeof state.State;

/** The reviewer sends a draft back at most this often. */
const MAX_DRAFTS = 3;

/**
 * Makes a brief of a handbook, or a reply to an e-mail's questions.
 *
 *     open_document -> summarise_section (each) -> write_brief <-> review_brief
 *                   -> find_questions -> answer_question (each) -> write_reply
 */
export function createDocumentBrief(
  models: Models,
): Pick<CompiledStateGraph<State, Partial<State>>, "invoke" | "stream"> {
  const searchHandbook = createSearchHandbook();

  return new StateGraph(state)
    .addNode("open_document", async ({ documentId }) => {
      const document = await readDocument(documentId);
      const text = document.format === "eml" ? bodyOf(document) : document.text;
      return { document: { ...document, text }, parts: document.format === "eml" ? [] : sectionsOf(text) };
    })
    .addNode("summarise_section", async (section: Section) => ({
      notes: [
        {
          title: section.title,
          text: await ask(models.reader, {
            instruction: "Summarise the section of a handbook in two sentences. Keep amounts and deadlines.",
            prompt: `Title:\n${section.title}\n\nText:\n${section.text}`,
          }),
        },
      ],
    }))
    .addNode("write_brief", async ({ document, notes, missing }) => ({
      drafts: 1,
      brief: await write(models.writer, {
        instruction:
          "Write the brief out of the notes: the title, then one point for each section that matters.",
        prompt: [
          `Title:\n${document.title}`,
          `Notes:\n${notes.map(({ title, text }) => `- ${title}: ${text}`).join("\n")}`,
          `Missing:\n${(missing ?? []).join("\n")}`,
        ].join("\n\n"),
      }),
    }))
    .addNode("review_brief", async ({ brief, notes }) => ({
      missing: (
        await askFor(models.reader, z.object({ complete: z.boolean(), missing: z.array(z.string()) }), {
          instruction:
            "Review the draft of a brief: does it mention every section? Answer with JSON only: complete, missing [title].",
          prompt: `Must mention:\n${notes.map(({ title }) => title).join("\n")}\n\nDraft:\n${brief}`,
        })
      ).missing,
    }))
    .addNode("find_questions", async ({ document }) => {
      const questions = await askFor(models.tagger, z.array(z.string()), {
        instruction: "List the questions of a message, word for word, as a JSON array.",
        prompt: `Message:\n${document.text}`,
      });
      return {
        parts: questions.map((question, index) => ({ title: `Question ${index + 1}`, text: question })),
      };
    })
    .addNode("answer_question", async (question: Section) => ({
      notes: [
        {
          title: question.text,
          text: await ask(models.reader, {
            instruction:
              "Answer the question out of the handbook alone, and name the section. Search it first.",
            prompt: `Question:\n${question.text}`,
            tools: [searchHandbook],
          }),
        },
      ],
    }))
    .addNode("write_reply", async ({ document, notes }) => ({
      brief: await write(models.writer, {
        instruction: "Write the reply to the sender: friendly, short, every question with its answer.",
        prompt: [
          `Sender:\n${senderOf(document.text)}`,
          `Answers:\n${notes.map(({ title, text }) => `${title}\n> ${text}`).join("\n")}`,
        ].join("\n\n"),
      }),
    }))
    .addEdge(START, "open_document")
    .addConditionalEdges(
      "open_document",
      ({ document, parts }) =>
        document.format === "eml"
          ? "find_questions"
          : parts.map((section) => new Send("summarise_section", section)),
      ["find_questions", "summarise_section"],
    )
    .addEdge("summarise_section", "write_brief")
    .addEdge("write_brief", "review_brief")
    .addConditionalEdges(
      "review_brief",
      ({ missing, drafts }) => (missing.length > 0 && drafts < MAX_DRAFTS ? "write_brief" : END),
      ["write_brief", END],
    )
    .addConditionalEdges(
      "find_questions",
      ({ parts }) => parts.map((question) => new Send("answer_question", question)),
      ["answer_question"],
    )
    .addEdge("answer_question", "write_reply")
    .addEdge("write_reply", END)
    .compile({ name: "document-brief" });
}

function bodyOf(document: SourceDocument): string {
  const [, ...parts] = document.text.split(/\n\s*\n/);
  const body = parts.join("\n\n").trim();
  if (body === "")
    throw new MalformedDocumentError(
      `${document.id} has headers but no text, so there is nothing to answer.`,
    );
  const sender = /^From: ([^<\n]+)/m.exec(document.text)?.[1]?.trim() ?? "colleague";
  return `From ${sender}\n\n${body}`;
}

function senderOf(text: string): string {
  return /^From (\S+)/.exec(text)?.[1] ?? "colleague";
}
