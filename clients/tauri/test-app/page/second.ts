/** A window that follows a stream of its own to the end, and begins another, which ends with the window. */

import { emit } from '@tauri-apps/api/event'
import { report } from './report.js'
import { begin, follow } from './stream.js'

let blocked = 0
document.addEventListener('securitypolicyviolation', () => (blocked += 1))
await report('second_window', await follow(await begin()))
await report('blocked', blocked)
const hanging = await begin({ provider: 'hanging' })
await new Promise<void>((resolve) => void follow(hanging, resolve))
await report('hanging', null)
await emit('second-window-done')
