import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
  type LangSmithParams,
} from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, type BaseMessage, type UsageMetadata } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { readRequest, type Skill, type ToolRequest } from "./skill.ts";
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

export interface LocalModelOptions {
  model: string;
  /** What a call takes at least, in milliseconds; a long answer takes up to four times as long. */
  delayMs: number;
}

interface CallOptions extends BaseChatModelCallOptions {
  tools?: { name: string }[];
}

const LOCAL_PROVIDER = "local";

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

/**
 * A chat model that needs no network: it reads the prompt and computes its answer by rules, the same answer every time.
 * Tool calls, streaming and token counts are as real as a provider's.
 */
export class LocalChatModel extends BaseChatModel<CallOptions> {
  readonly model: string;
  readonly #delayMs: number;

  constructor({ model, delayMs }: LocalModelOptions) {
    super({});
    this.model = model;
    this.#delayMs = delayMs;
  }

  _llmType(): string {
    return LOCAL_PROVIDER;
  }

  override getLsParams(options: this["ParsedCallOptions"]): LangSmithParams {
    return { ...super.getLsParams(options), ls_provider: LOCAL_PROVIDER, ls_model_name: this.model };
  }

  override bindTools(tools: BindToolsInput[]): Runnable<BaseLanguageModelInput, AIMessageChunk, CallOptions> {
    const named = tools.flatMap((tool) => ("name" in tool ? [{ name: String(tool.name) }] : []));
    return this.withConfig({ tools: named });
  }

  async _generate(messages: BaseMessage[], options: this["ParsedCallOptions"]): Promise<ChatResult> {
    const answer = this.#answer(messages, options);
    await pause(this.#duration(answer.usage.output_tokens), options.signal);
    const message = new AIMessage({
      content: answer.text,
      tool_calls: answer.toolCalls,
      usage_metadata: answer.usage,
      response_metadata: { model_name: this.model, finish_reason: answer.finishReason },
    });
    return { generations: [{ text: answer.text, message }], llmOutput: { tokenUsage: answer.usage } };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const answer = this.#answer(messages, options);
    const duration = this.#duration(answer.usage.output_tokens);
    const parts = answer.text.match(/\S+\s*/g) ?? [];
    await pause(duration * 0.35, options.signal);
    for (const part of parts) {
      const chunk = new ChatGenerationChunk({ text: part, message: new AIMessageChunk({ content: part }) });
      yield chunk;
      await runManager?.handleLLMNewToken(part, undefined, undefined, undefined, undefined, { chunk });
      await pause((duration * 0.65) / parts.length, options.signal);
    }
    yield new ChatGenerationChunk({
      text: "",
      message: new AIMessageChunk({
        content: "",
        tool_calls: answer.toolCalls,
        usage_metadata: answer.usage,
        response_metadata: { model_name: this.model, finish_reason: answer.finishReason },
      }),
    });
  }

  #duration(outputTokens: number): number {
    return this.#delayMs * (1 + Math.min(3, outputTokens / 40));
  }

  #answer(messages: BaseMessage[], options: this["ParsedCallOptions"]): LocalAnswer {
    const tools = (options.tools ?? []).map(({ name }) => name);
    const request = readRequest(messages, tools);
    const skill = skills.find((one) => one.handles(request.instruction));
    if (!skill)
      throw new Error(
        `${this.model} does not know how to do this: "${request.instruction.slice(0, 80)}". ` +
          "Add a skill in models/skills, or set OPENAI_API_KEY to ask a real model.",
      );
    const answer = skill.answer(request);
    const text = typeof answer === "string" ? answer : "";
    const wanted: ToolRequest[] = typeof answer === "string" ? [] : answer;
    const toolCalls = wanted.map((call, index) => ({
      id: `call_${request.toolAnswers.length + index + 1}`,
      type: "tool_call" as const,
      ...call,
    }));
    const input = messages.reduce((sum, message) => sum + countTokens(message.text) + 4, 3);
    const output = countTokens(text === "" ? JSON.stringify(wanted) : text);
    return {
      text,
      toolCalls,
      finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
      usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
    };
  }
}

interface LocalAnswer {
  text: string;
  toolCalls: { id: string; type: "tool_call"; name: string; args: Record<string, unknown> }[];
  finishReason: string;
  usage: UsageMetadata;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
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
