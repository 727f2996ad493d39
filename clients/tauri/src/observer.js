// Tells the plugin which events of streams the page listens to, so that it lets go of what it held back.
// Tauri runs it in a function of its own, before the page's scripts.
const EVENT_PREFIX = 'chat-stream-'
const internals = window.__TAURI_INTERNALS__
const invoke = internals.invoke
let turn = Promise.resolve()

// In the order of the calls, so that chunks are let go before the end of their stream.
function announce(event, listening) {
  turn = turn.then(() => listening).then(
    () => invoke('plugin:llm-sidecar|listening', { event }).catch(complain),
    () => undefined // the page has this error
  )
}

function complain(error) {
  console.error('llm-sidecar cannot see what this page listens to; events of streams stay held back:', error)
}

function observed(command, args, options) {
  const reply = invoke(command, args, options)
  if (command === 'plugin:event|listen' && String(args?.event).startsWith(EVENT_PREFIX)) {
    announce(args.event, reply)
  }
  return reply
}

try {
  Object.defineProperty(internals, 'invoke', { configurable: false, writable: false, value: observed })
} catch (error) {
  complain(error)
}
