import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import { BaseChatModel, type BaseChatModelParams } from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, type BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";

interface ToolCall {
  name: string;
  args: Record<string, unknown>;
  id: string;
}

/** A chat model that answers from a list, with the metadata that providers give. */
export class LocalModel extends BaseChatModel {
  readonly #answers: (string | ToolCall[] | Error)[];
  #next = 0;

  constructor(answers: (string | ToolCall[] | Error)[], params: BaseChatModelParams = {}) {
    super(params);
    this.#answers = answers;
  }

  override _llmType(): string {
    return "local";
  }

  override getLsParams(): { ls_model_name: string; ls_provider: string; ls_model_type: "chat" } {
    return { ls_model_name: "gpt-4.1-mini", ls_provider: "openai", ls_model_type: "chat" };
  }

  override async _generate(_messages: BaseMessage[]): Promise<ChatResult> {
    const answer = this.#answer();
    const message = new AIMessage({
      content: typeof answer === "string" ? answer : "",
      tool_calls:
        typeof answer === "string" ? [] : answer.map((call) => ({ ...call, type: "tool_call" as const })),
      usage_metadata: USAGE,
      response_metadata: { finish_reason: typeof answer === "string" ? "stop" : "tool_calls" },
    });
    return { generations: [{ text: typeof answer === "string" ? answer : "", message }] };
  }

  override async *_streamResponseChunks(
    _messages: BaseMessage[],
    _options: this["ParsedCallOptions"],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const words = String(this.#answer()).split(" ");
    for (const [index, word] of words.entries()) {
      const last = index === words.length - 1;
      const text = last ? word : `${word} `;
      const message = new AIMessageChunk({ content: text, ...(last && { usage_metadata: USAGE }) });
      yield new ChatGenerationChunk({ text, message });
      await run?.handleLLMNewToken(text);
    }
  }

  #answer(): string | ToolCall[] {
    const answer = this.#answers[this.#next++ % this.#answers.length];
    if (answer instanceof Error) throw answer;
    return answer ?? "";
  }
}

const USAGE = {
  input_tokens: 100,
  output_tokens: 20,
  total_tokens: 120,
  input_token_details: { cache_read: 40 },
  output_token_details: { reasoning: 5 },
};
