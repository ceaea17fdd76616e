import type { BaseMessage } from "@langchain/core/messages";

/** What a local model is asked: the instruction, what it is about, and what its tools have answered so far. */
export interface Request {
  instruction: string;
  prompt: string;
  toolAnswers: { name: string; text: string }[];
  /** Names of the tools it may call. */
  tools: readonly string[];
}

export interface ToolRequest {
  name: string;
  args: Record<string, unknown>;
}

/** Text, or tools that it wants to call first. */
export type Answer = string | ToolRequest[];

/** One thing that a local model can do. It reads the prompt and computes the answer by rules. */
export interface Skill {
  /** Whether the instruction asks for this. */
  handles(instruction: string): boolean;
  answer(request: Request): Answer;
}

export function readRequest(messages: readonly BaseMessage[], tools: readonly string[]): Request {
  const textOf = (type: string): string[] =>
    messages.filter((message) => message.getType() === type).map((message) => message.text);
  return {
    instruction: textOf("system").join("\n"),
    prompt: textOf("human").join("\n"),
    toolAnswers: messages
      .filter((message) => message.getType() === "tool")
      .map((message) => ({ name: message.name ?? "", text: message.text })),
    tools,
  };
}

/** The part of a prompt under a line `name:`, up to the next such line or the end. */
export function section(prompt: string, name: string): string {
  const lines = prompt.split("\n");
  const from = lines.findIndex((line) => line.trim() === `${name}:`);
  if (from < 0) return "";
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => /^[A-Z][a-z ]+:$/.test(line.trim()));
  return (to < 0 ? rest : rest.slice(0, to)).join("\n").trim();
}
