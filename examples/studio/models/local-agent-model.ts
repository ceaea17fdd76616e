import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Message,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
} from "@ai-sdk/provider";
import {
  answerLocally,
  durationMs,
  inputTokens,
  LOCAL_PROVIDER,
  type LocalAnswer,
  pause,
} from "./local-answer.ts";

/** The local models as AI SDK takes them: no network, the same answer every time, real tool calls and token counts. */
export class LocalAgentModel implements LanguageModelV4 {
  readonly specificationVersion = "v4";
  readonly provider: string = LOCAL_PROVIDER;
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]> = {};
  readonly #delayMs: number;

  constructor({ model, delayMs }: { model: string; delayMs: number }) {
    this.modelId = model;
    this.#delayMs = delayMs;
  }

  async doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { answer, finish } = this.#answer(options);
    await pause(durationMs(this.#delayMs, answer.outputTokens), options.abortSignal);
    const text: LanguageModelV4Content[] = answer.text === "" ? [] : [{ type: "text", text: answer.text }];
    return { ...finish, content: [...text, ...callsOf(answer)], warnings: [] };
  }

  async doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const { answer, finish } = this.#answer(options);
    const duration = durationMs(this.#delayMs, answer.outputTokens);
    const words = answer.text.match(/\S+\s*/g) ?? [];
    const parts = async function* (): AsyncGenerator<LanguageModelV4StreamPart> {
      yield { type: "stream-start", warnings: [] };
      await pause(duration * 0.35, options.abortSignal);
      if (words.length > 0) yield { type: "text-start", id: "text" };
      for (const delta of words) {
        yield { type: "text-delta", id: "text", delta };
        await pause((duration * 0.65) / words.length, options.abortSignal);
      }
      if (words.length > 0) yield { type: "text-end", id: "text" };
      yield* callsOf(answer);
      yield { type: "finish", ...finish };
    };
    return { stream: streamOf(parts()) };
  }

  #answer({ prompt, tools = [] }: LanguageModelV4CallOptions): {
    answer: LocalAnswer;
    finish: Pick<LanguageModelV4GenerateResult, "finishReason" | "usage">;
  } {
    const answer = answerLocally(this.modelId, {
      instruction: textsOf(prompt, "system").join("\n"),
      prompt: textsOf(prompt, "user").join("\n"),
      toolAnswers: prompt.flatMap(toolAnswersOf),
      tools: tools.map(({ name }) => name),
    });
    const input = inputTokens(prompt.map((message) => JSON.stringify(message.content)));
    const calls = answer.toolCalls.length > 0;
    return {
      answer,
      finish: {
        finishReason: { unified: calls ? "tool-calls" : "stop", raw: undefined },
        usage: {
          inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
          outputTokens: { total: answer.outputTokens, text: answer.outputTokens, reasoning: undefined },
        },
      },
    };
  }
}

function streamOf<T>(parts: AsyncGenerator<T, void>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const next = await parts.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: () => void parts.return(),
  });
}

function callsOf({ toolCalls }: LocalAnswer) {
  return toolCalls.map(({ id, name, args }) => ({
    type: "tool-call" as const,
    toolCallId: id,
    toolName: name,
    input: JSON.stringify(args),
  }));
}

function textsOf(prompt: readonly LanguageModelV4Message[], role: "system" | "user"): string[] {
  return prompt.flatMap((message) => {
    if (message.role !== role) return [];
    if (message.role === "system") return [message.content];
    return message.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  });
}

function toolAnswersOf(message: LanguageModelV4Message): { name: string; text: string }[] {
  if (message.role !== "tool") return [];
  return message.content.flatMap((part) => {
    if (part.type !== "tool-result") return [];
    const { output } = part;
    return [{ name: part.toolName, text: output.type === "text" ? output.value : JSON.stringify(output) }];
  });
}
