import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import type { ChatEvent, ChatStatus } from './llm-sidecar'

export interface Step {
  do: string
  [member: string]: unknown
}

export interface Seen {
  deltas: string[]
  content?: string
  reason?: string
  error?: string
  category?: string
  statuses: ChatStatus[]
  events: ChatEvent[]
}

/** Options with which the scripted provider says what the steps are. */
export function scripted(steps: Step[]): Record<string, unknown> {
  return { provider: 'scripted', provider_options: { scripted: { steps } } }
}

export async function begin(options?: Record<string, unknown>): Promise<string> {
  return invoke<string>('stream_chat', {
    messages: [{ role: 'user', content: 'Hello!' }],
    options: { max_tokens: 1024, ...options },
  })
}

/** Listens to everything of a stream, and resolves at its end; `onDelta` is called for each text. */
export async function follow(streamId: string, onDelta?: () => void): Promise<Seen> {
  const seen: Seen = { deltas: [], statuses: [], events: [] }
  return new Promise((resolve) => {
    void listen(`chat-stream-status-${streamId}`, ({ payload }) => seen.statuses.push(payload))
    void listen(`chat-stream-event-${streamId}`, ({ payload }) => seen.events.push(payload))
    void listen(`chat-stream-${streamId}`, ({ payload }) => {
      seen.deltas.push(payload.delta)
      onDelta?.()
    })
    void listen(`chat-stream-complete-${streamId}`, ({ payload }) => {
      resolve({ ...seen, content: payload.content, reason: payload.finish_reason.reason })
    })
    void listen(`chat-stream-error-${streamId}`, ({ payload }) => {
      resolve({ ...seen, content: payload.content, error: payload.type, category: payload.category })
    })
  })
}
