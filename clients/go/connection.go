package llmsidecar

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// connection is one life of a sidecar: a process, and what is open with it.
type connection struct {
	options        Options
	configurations *configurations
	process        *process
	outbox         *outbox
	onEnd          func()
	readyAt        time.Time // the time of the handshake
	closing        atomic.Bool

	mu      sync.Mutex
	lastID  int64
	pending map[int64]request
	streams map[string][]*ChatStream // by id; the first of them is the one that the sidecar means
	ended   *Error                   // after the end of stdout

	gone chan struct{} // closed when nothing is left of it
}

func openConnection(options Options, made *configurations, onEnd func()) (*connection, error) {
	process, err := startProcess(options)
	if err != nil {
		return nil, err
	}
	c := &connection{
		options:        options,
		configurations: made,
		process:        process,
		outbox:         newOutbox(),
		onEnd:          onEnd,
		pending:        map[int64]request{},
		streams:        map[string][]*ChatStream{},
		gone:           make(chan struct{}),
	}
	go c.outbox.writeTo(process.stdin)
	go c.run()
	return c, nil
}

// run reads until the end of stdout, and sees the process off.
func (c *connection) run() {
	defer close(c.gone)
	release := c.process.closeOutputsLater()
	why := "it has ended"
	if errors.Is(c.read(), errLineTooLong) {
		why = "it wrote a line that is too long"
		c.process.family.kill()
		_, _ = io.Copy(io.Discard, c.process.stdout)
	}
	c.fail(connectionClosed(why))
	c.onEnd()
	c.outbox.close()
	c.process.stop(c.endGrace())
	release()
}

// endGrace returns how long the process may live on without stdout.
func (c *connection) endGrace() time.Duration {
	if c.closing.Load() {
		return c.options.StopGrace
	}
	return killGrace
}

func (c *connection) read() error {
	lines := newLineReader(c.process.stdout, c.options.MaxLineBytes)
	for {
		line, err := lines.next()
		if err != nil {
			return err
		}
		c.dispatch(line)
	}
}

// fail ends all that is open, and all that comes.
func (c *connection) fail(err *Error) {
	c.mu.Lock()
	pending := c.pending
	c.ended, c.pending, c.streams = err, nil, nil
	c.mu.Unlock()
	for _, open := range pending {
		open.receive(reply{err: err})
	}
}

// hasEnded tells whether nothing more can come.
func (c *connection) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended != nil
}

// send writes a request, and returns its id; a stream is known by its own id as well before that.
func (c *connection) send(method string, params []byte, to receiver) (int64, *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return 0, c.ended
	}
	c.lastID++
	entry := request{receiver: to, method: method}
	if isConfiguration(method) {
		entry.params = params
	}
	c.pending[c.lastID] = entry
	if stream, is := to.(*ChatStream); is {
		c.streams[stream.ID] = append(c.streams[stream.ID], stream)
	}
	c.outbox.put(message(&c.lastID, method, params))
	return c.lastID, nil
}

// cancel asks the sidecar to end a request that is still open.
func (c *connection) cancel(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := c.pending[id]; open {
		c.outbox.put(message(nil, "$/cancelRequest", []byte(`{"id":`+strconv.FormatInt(id, 10)+`}`)))
	}
}

// take returns the request with the id, which has its reply now.
func (c *connection) take(id int64) (request, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	open, is := c.pending[id]
	delete(c.pending, id)
	if stream, isStream := open.receiver.(*ChatStream); isStream {
		c.forgetStream(stream)
	}
	return open, is
}

func (c *connection) forgetStream(stream *ChatStream) {
	var others []*ChatStream
	for _, other := range c.streams[stream.ID] {
		if other != stream {
			others = append(others, other)
		}
	}
	if c.streams[stream.ID] = others; others == nil {
		delete(c.streams, stream.ID)
	}
}

// stream returns the open stream with the id, or nil.
func (c *connection) stream(id []byte) *ChatStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open := c.streams[string(id)]; len(open) > 0 {
		return open[0]
	}
	return nil
}

// close ends the session as the protocol says, and waits until nothing is left of it.
func (c *connection) close() {
	c.closing.Store(true)
	_, _ = c.send("shutdown", []byte("{}"), make(answers, 1)) // where it has ended, that is what is wanted
	c.outbox.close()
	c.process.stop(c.options.StopGrace)
	<-c.gone
}
