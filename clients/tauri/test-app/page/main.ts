/** Everything that a front end may count on, tried in a real window. */

import { invoke } from '@tauri-apps/api/core'
import { once } from '@tauri-apps/api/event'
import { WebviewWindow } from '@tauri-apps/api/webviewWindow'
import { outcome, painted, report } from './report.js'
import { begin, follow, scripted, type Seen, type Step } from './stream.js'

const STREAMS = 50
const RELOADED = 'reloaded'

const FAILS: Step[] = [
  { do: 'text', text: 'Hel' },
  { do: 'error', type: 'provider_overloaded', http_status: 529, retry_after_ms: 1500 },
]
const MIXED: Step[] = [
  { do: 'status', state: 'waiting_first_token' },
  { do: 'reasoning', text: 'Hm.' },
  { do: 'text', text: 'Let me look.', index: 1 },
  { do: 'tool_call', index: 2, id: 'call_1', name: 'weather', arguments: '{}' },
  { do: 'finish', reason: 'tool_calls' },
]

const PACED: Step[] = Array.from({ length: 100 }, (_, count) => [
  { do: 'text', text: `${count} ` },
  { do: 'pause', ms: 1 },
]).flat()
PACED.push({ do: 'finish', reason: 'stop' })

async function atOnce(): Promise<Seen[]> {
  return Promise.all(Array.from({ length: STREAMS }, async () => follow(await begin())))
}

/** The answer has long ended when the page begins to listen. */
async function late(): Promise<Seen> {
  const streamId = await begin()
  await invoke<string>('complete_chat', { messages: [{ role: 'user', content: 'Hello!' }], options: {} })
  return follow(streamId)
}

async function cancelled(): Promise<unknown> {
  const streamId = await begin({ provider: 'hanging' })
  const answers: Promise<unknown>[] = []
  const seen = await follow(streamId, () => answers.push(invoke('cancel_stream', { stream_id: streamId })))
  return { seen, answers: await Promise.all(answers), again: await invoke('cancel_stream', { stream_id: streamId }) }
}

async function rejections(): Promise<Record<string, unknown>> {
  const question = { messages: [{ role: 'user', content: 'Hello!' }] }
  return {
    key: await outcome(invoke('get_api_key', { provider: 'mistral' })),
    config: await outcome(invoke('set_active_provider', { config: { provider: 'nobody', api_key: 'sk-secret' } })),
    answer: await outcome(invoke('complete_chat', { ...question, options: scripted(FAILS) })),
    stream: await outcome(invoke('stream_chat', { messages: 'Hello!', options: {} })),
    local: await outcome(invoke('test_provider_connection', { config: { provider: 'local', model_path: '/no.gguf' } })),
  }
}

/** The same commands, as those of a plugin. */
async function prefixed(): Promise<unknown> {
  const streamId = await invoke<string>('plugin:llm-sidecar|stream_chat', {
    messages: [{ role: 'user', content: 'Hello!' }],
    options: {},
  })
  return follow(streamId)
}

async function secondWindow(): Promise<void> {
  const done = new Promise((resolve) => void once('second-window-done', resolve))
  const second = new WebviewWindow('second', { url: 'second.html', title: 'second' })
  await done
  const gone = new Promise((resolve) => void second.once('tauri://destroyed', resolve))
  await second.destroy()
  await gone
}

/** Leaves a stream open, and loads the page anew. */
async function reload(): Promise<void> {
  const streamId = await begin({ provider: 'hanging' })
  await new Promise<void>((resolve) => void follow(streamId, resolve))
  sessionStorage.setItem(RELOADED, streamId)
  location.reload()
  await new Promise(() => undefined)
}

async function first(): Promise<void> {
  await report('at_once', await atOnce())
  await report('late', await late())
  await report('paced', await follow(await begin(scripted(PACED))))
  await report('mixed', await follow(await begin(scripted(MIXED))))
  await report('failing', await follow(await begin(scripted(FAILS))))
  await report('cancelled', await cancelled())
  await report('rejections', await rejections())
  await report('prefixed', await prefixed())
  await secondWindow()
  await reload()
}

const left = sessionStorage.getItem(RELOADED)
if (left === null) {
  await first()
}
await report('left_by_reload', await invoke('cancel_stream', { stream_id: left }))
await report('after_reload', await atOnce())
// The app ends while this one goes on.
const open = await begin({ provider: 'hanging' })
await new Promise<void>((resolve) => void follow(open, resolve))
await painted()
await report('done', null)
