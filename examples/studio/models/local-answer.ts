import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import type { Request, Skill, ToolRequest } from "./skill.ts";
import { checkPolicy, checkVendor, decide, writeLetter } from "./skills/judge-invoices.ts";
import { extractInvoice, tagLine } from "./skills/read-invoices.ts";
import {
  answerQuestion,
  compose,
  findQuestions,
  nameTopics,
  review,
  summarise,
  writeReply,
} from "./skills/write-briefs.ts";

export const LOCAL_PROVIDER = "local";

const skills: readonly Skill[] = [
  extractInvoice,
  tagLine,
  checkVendor,
  checkPolicy,
  decide,
  writeLetter,
  summarise,
  compose,
  review,
  findQuestions,
  answerQuestion,
  writeReply,
  nameTopics,
];

export interface LocalAnswer {
  text: string;
  toolCalls: (ToolRequest & { id: string })[];
  outputTokens: number;
}

/** Reads the prompt and computes the answer by rules, the same answer every time. */
export function answerLocally(model: string, request: Request): LocalAnswer {
  const skill = skills.find((one) => one.handles(request.instruction));
  if (!skill)
    throw new Error(
      `${model} does not know how to do this: "${request.instruction.slice(0, 80)}". ` +
        "Add a skill in models/skills, or set OPENAI_API_KEY to ask a real model.",
    );
  const answer = skill.answer(request);
  const text = typeof answer === "string" ? answer : "";
  const wanted = typeof answer === "string" ? [] : answer;
  return {
    text,
    toolCalls: wanted.map((call, index) => ({
      id: `call_${request.toolAnswers.length + index + 1}`,
      ...call,
    })),
    outputTokens: countTokens(text === "" ? JSON.stringify(wanted) : text),
  };
}

/** What a prompt of these messages counts for. */
export function inputTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countTokens(text) + 4, 3);
}

/** How long a call takes: a long answer up to four times as long as a short one. */
export function durationMs(delayMs: number, outputTokens: number): number {
  return delayMs * (1 + Math.min(3, outputTokens / 40));
}

export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms < 1) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
