// Runs before Tauri defines `invoke`, and lets the observer put itself in front of it.
;Object.defineProperty(window.__TAURI_INTERNALS__, 'invoke', { configurable: true, writable: true, value: undefined })
