/** Runs the code of a document as it stands, and looks at what it writes to the console. */

import { listen } from '@tauri-apps/api/event'
import { blocks } from './blocks.js'
import { outcome, painted, report } from './report.js'

const STREAMS = 50
const ORDER = [
  'list_providers',
  'set_active_provider',
  'test_provider_connection',
  'complete_chat',
  'save_api_key',
  'get_api_key',
  'list_saved_providers',
  'delete_api_key',
]

interface Answer {
  chunks: string[]
  content: string
}

/** Runs the block with a console that collects what the listeners in it log. */
async function streamed(block: () => Promise<unknown>): Promise<Answer> {
  const write = console.log
  const chunks: string[] = []
  try {
    return await new Promise<Answer>((resolve, reject) => {
      console.log = (label: string, text: string) => {
        if (label === 'Chunk:') chunks.push(text)
        if (label === 'Complete:') resolve({ chunks, content: text })
      }
      block().then((made) => rejectOnFailure((made as { streamId: string }).streamId, reject), reject)
    })
  } finally {
    console.log = write
  }
}

function rejectOnFailure(streamId: string, reject: (error: Error) => void): void {
  void listen(`chat-stream-error-${streamId}`, ({ payload }) => reject(new Error(payload.message)))
}

for (const command of ORDER) {
  const block = blocks[command]
  await report(command, block ? await outcome(block()) : 'missing')
}
const stream = blocks['stream_chat']
if (stream) {
  const answers: unknown[] = []
  for (let count = 0; count < STREAMS; count += 1) answers.push(await outcome(streamed(stream)))
  await report('stream_chat', answers)
}
await painted()
await report('done', null)
