/** A chat with its memory. */

import type { CallOptions } from "./methods.js";
import type { ChatRequest, Message, MessageContent, ToolResult } from "./protocol.js";
import type { Sidecar } from "./sidecar.js";
import type { ChatStream } from "./stream.js";

/** What every turn of a conversation is asked with besides its messages. */
export type TurnOptions = Omit<ChatRequest, "messages" | "include_message">;

/** Keeps the messages of a chat, as they came, and asks with all of them. A failed turn leaves them as they were. */
export class Conversation {
  readonly #sidecar: Sidecar;
  readonly #options: TurnOptions;
  #messages: readonly Message[];

  /** Goes on from `messages`, such as a system message or a conversation that was saved. */
  constructor(sidecar: Sidecar, options: TurnOptions = {}, messages: readonly Message[] = []) {
    this.#sidecar = sidecar;
    this.#options = options;
    this.#messages = [...messages];
  }

  /** What was said so far; to be saved as JSON. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Asks on. When the stream has ended with a message, question and answer are kept. */
  send(content: MessageContent, options?: CallOptions): ChatStream {
    return this.#ask({ role: "user", content }, options);
  }

  /** Asks on with the results of the tools that the last answer called. */
  answer(results: ToolResult[], options?: CallOptions): ChatStream {
    return this.#ask({ role: "tool", content: results }, options);
  }

  #ask(question: Message, options?: CallOptions): ChatStream {
    const request = { ...this.#options, messages: [...this.#messages, question], include_message: true };
    return this.#sidecar.chat.open(request, options, ({ message }) => {
      if (message) this.#messages = [...this.#messages, question, message];
    });
  }
}
