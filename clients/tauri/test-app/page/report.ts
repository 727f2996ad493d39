import { invoke } from '@tauri-apps/api/core'

const SHOWN_CHARACTERS = 110

/** Shows a finding, and tells the test. */
export async function report(step: string, finding: unknown): Promise<void> {
  const item = document.createElement('li')
  const name = document.createElement('code')
  name.textContent = step
  item.append(name, ' ', (JSON.stringify(finding) ?? 'done').slice(0, SHOWN_CHARACTERS))
  document.getElementById('findings')?.append(item)
  await invoke('report', { step, finding: finding ?? null })
}

/** What a promise comes to: its value, or what it was rejected with. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value: value ?? null }),
    (error: unknown) => ({ error: error instanceof Error ? error.message : error }),
  )
}

/** Resolves when everything reported is on the screen. */
export async function painted(): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
}
