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
import { answerLocally, durationMs, inputTokens, LOCAL_PROVIDER, pause } from "./local-answer.ts";
import { readRequest } from "./skill.ts";

export interface LocalModelOptions {
  model: string;
  /** What a call takes at least, in milliseconds; a long answer takes up to four times as long. */
  delayMs: number;
}

interface CallOptions extends BaseChatModelCallOptions {
  tools?: { name: string }[];
}

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
    await pause(answer.durationMs, options.signal);
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
    const duration = answer.durationMs;
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

  #answer(messages: BaseMessage[], options: this["ParsedCallOptions"]): ModelAnswer {
    const tools = (options.tools ?? []).map(({ name }) => name);
    const { text, toolCalls, outputTokens } = answerLocally(this.model, readRequest(messages, tools));
    const input = inputTokens(messages.map((message) => message.text));
    return {
      text,
      toolCalls: toolCalls.map((call) => ({ type: "tool_call" as const, ...call })),
      finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
      durationMs: durationMs(this.#delayMs, outputTokens),
      usage: { input_tokens: input, output_tokens: outputTokens, total_tokens: input + outputTokens },
    };
  }
}

interface ModelAnswer {
  text: string;
  toolCalls: { id: string; type: "tool_call"; name: string; args: Record<string, unknown> }[];
  finishReason: string;
  durationMs: number;
  usage: UsageMetadata;
}
