import { type Skill, section } from "../skill.ts";
import { contentWords, keySentences, overlap, sentences } from "../text.ts";

export const summarise: Skill = {
  handles: (instruction) => /summarise the section/i.test(instruction),
  answer: ({ prompt }) => keySentences(section(prompt, "Text"), 2).join(" "),
};

/** Puts summaries together. A first draft keeps to four of them; a revision takes in what the reviewer missed. */
export const compose: Skill = {
  handles: (instruction) => /write the brief/i.test(instruction),
  answer: ({ prompt }) => {
    const notes = section(prompt, "Notes").split("\n").filter(Boolean);
    const missing = section(prompt, "Missing").split("\n").filter(Boolean);
    const chosen = notes.filter(
      (note, index) => index < 4 || missing.some((title) => note.startsWith(`- ${title}:`)),
    );
    return `${section(prompt, "Title")}\n\n${chosen.join("\n")}`;
  },
};

export const review: Skill = {
  handles: (instruction) => /review the draft/i.test(instruction),
  answer: ({ prompt }) => {
    const draft = section(prompt, "Draft");
    const missing = section(prompt, "Must mention")
      .split("\n")
      .filter((title) => title !== "" && !draft.includes(title));
    return JSON.stringify({ complete: missing.length === 0, missing });
  },
};

export const findQuestions: Skill = {
  handles: (instruction) => /list the questions/i.test(instruction),
  answer: ({ prompt }) =>
    JSON.stringify(
      section(prompt, "Message")
        .split("\n")
        .flatMap(sentences)
        .filter((sentence) => sentence.endsWith("?")),
    ),
};

/** Searches the handbook, then answers with the passage's best sentences and where they stand. */
export const answerQuestion: Skill = {
  handles: (instruction) => /answer the question/i.test(instruction),
  answer: ({ prompt, toolAnswers, tools }) => {
    const question = section(prompt, "Question");
    if (toolAnswers.length === 0 && tools.includes("search_handbook"))
      return [{ name: "search_handbook", args: { query: contentWords(question).join(" ") } }];
    const passage = toolAnswers.map(({ text }) => text).join("\n");
    if (!/^## /m.test(passage)) return "The handbook says nothing about this. Please ask your team lead.";
    const [, title = "", body = ""] = /^## (.+)\n([\s\S]*?)(?=\n## |$)/.exec(passage) ?? [];
    const wanted = contentWords(question);
    const best = sentences(body)
      .map((sentence, index) => ({ sentence, index, score: overlap(wanted, sentence) }))
      .sort((left, right) => right.score - left.score || left.index - right.index)
      .slice(0, 2)
      .sort((left, right) => left.index - right.index)
      .map(({ sentence }) => sentence);
    return `${best.join(" ")} (${title})`;
  },
};

export const writeReply: Skill = {
  handles: (instruction) => /write the reply/i.test(instruction),
  answer: ({ prompt }) =>
    `Hello ${section(prompt, "Sender")},\n\nthank you for your message. Here is what the handbook says:\n\n` +
    `${section(prompt, "Answers")}\n\nKind regards\nHelpdesk`,
};

export const nameTopics: Skill = {
  handles: (instruction) => /name the topics/i.test(instruction),
  answer: ({ prompt }) => {
    const frequency = new Map<string, number>();
    for (const word of contentWords(section(prompt, "Text")))
      frequency.set(word, (frequency.get(word) ?? 0) + 1);
    return [...frequency]
      .sort((left, right) => right[1] - left[1] || left[0].localeCompare(right[0]))
      .slice(0, 5)
      .map(([word]) => word)
      .join(", ");
  },
};
