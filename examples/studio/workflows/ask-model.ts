import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type BaseMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { z } from "zod";

export interface Question {
  instruction: string;
  prompt: string;
  tools?: StructuredToolInterface[];
}

/** More rounds than this mean that a model goes round in circles. */
const MAX_ROUNDS = 4;

/** Asks a model and lets it call its tools, several at once, until it answers with text. */
export async function ask(model: BaseChatModel, question: Question): Promise<string> {
  const tools = question.tools ?? [];
  const bound = tools.length > 0 && model.bindTools ? model.bindTools(tools) : model;
  const messages: BaseMessage[] = [
    new SystemMessage(question.instruction),
    new HumanMessage(question.prompt),
  ];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const answer = await bound.invoke(messages);
    const calls = answer.tool_calls ?? [];
    if (calls.length === 0) return answer.text;
    messages.push(answer);
    messages.push(
      ...(await Promise.all(
        calls.map(async (call) => {
          const tool = tools.find(({ name }) => name === call.name);
          if (!tool) throw new Error(`The model called ${call.name}, which it was not given.`);
          return tool.invoke({ ...call, type: "tool_call" });
        }),
      )),
    );
  }
  throw new Error(`The model had no answer after ${MAX_ROUNDS} rounds of tool calls.`);
}

/** Asks for JSON and checks its shape. */
export async function askFor<Shape extends z.ZodType>(
  model: BaseChatModel,
  shape: Shape,
  question: Question,
): Promise<z.infer<Shape>> {
  const answer = await ask(model, question);
  const json = /[[{][\s\S]*[\]}]/.exec(answer)?.[0];
  if (json === undefined) throw new Error(`The model answered without JSON: "${answer.slice(0, 80)}".`);
  return shape.parse(JSON.parse(json));
}

/** Lets a model write, and takes in its answer as it streams. */
export async function write(model: BaseChatModel, question: Question): Promise<string> {
  let text = "";
  const stream = await model.stream([
    new SystemMessage(question.instruction),
    new HumanMessage(question.prompt),
  ]);
  for await (const chunk of stream) text += chunk.text;
  return text;
}
