/** Types for the front end: what the plugin's commands give, and what its events carry. */

import type { EventCallback, Options, UnlistenFn } from '@tauri-apps/api/event'

/** A provider that can be used, or a configured instance of one. */
export interface ProviderInfo {
  id: string
  kind: string
  name: string
  configured: boolean
  active: boolean
  local: boolean
  needs_key: boolean
  key: { source: string; masked?: string | null }
  model?: string | null
  base_url?: string | null
  capabilities?: Record<string, unknown>
}

/** A provider with a key in the system's keychain. */
export interface CredentialInfo {
  provider: string
  has_api_key: boolean
}

/** What a command rejects with. Switch on `type`. */
export interface ChatError {
  type: string
  category: 'network' | 'ai' | 'config' | 'not_found' | 'protocol' | 'internal' | (string & {})
  message: string
  retryable: boolean
  retry_after_ms?: number
  code: number
  hint?: string | null
  [member: string]: unknown
}

/** `chat-stream-{id}`: more text. */
export interface ChatChunk {
  delta: string
}

/** `chat-stream-complete-{id}`: the whole text, and the result of the stream as the protocol has it. */
export interface ChatComplete {
  content: string
  finish_reason: { reason: string; raw?: string | null }
  usage: { input_tokens?: number | null; output_tokens?: number | null; source?: string }
  cost: { amount: string | null; currency: string; source: string; estimated: boolean }
  provider: string
  model: string
  warnings: { type: string; message: string }[]
  [member: string]: unknown
}

/** `chat-stream-error-{id}`: why the stream failed, and the text that came before. */
export interface ChatFailure extends ChatError {
  content: string
}

/** `chat-stream-status-{id}`: what the stream waits for. */
export interface ChatStatus {
  state: string
  progress?: number | null
  ms?: number | null
}

/** `chat-stream-event-{id}`: a delta that is not text, as the protocol has it. */
export interface ChatEvent {
  type: string
  [member: string]: unknown
}

declare module '@tauri-apps/api/event' {
  export function listen(
    event: `chat-stream-complete-${string}`,
    handler: EventCallback<ChatComplete>,
    options?: Options,
  ): Promise<UnlistenFn>
  export function listen(
    event: `chat-stream-error-${string}`,
    handler: EventCallback<ChatFailure>,
    options?: Options,
  ): Promise<UnlistenFn>
  export function listen(
    event: `chat-stream-status-${string}`,
    handler: EventCallback<ChatStatus>,
    options?: Options,
  ): Promise<UnlistenFn>
  export function listen(
    event: `chat-stream-event-${string}`,
    handler: EventCallback<ChatEvent>,
    options?: Options,
  ): Promise<UnlistenFn>
  export function listen(
    event: `chat-stream-${string}`,
    handler: EventCallback<ChatChunk>,
    options?: Options,
  ): Promise<UnlistenFn>
}
