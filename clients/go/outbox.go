package llmsidecar

import (
	"io"
	"sync"
)

// outbox holds what is to be written, so that nobody who calls waits for a sidecar that does not read.
type outbox struct {
	mu     sync.Mutex
	filled *sync.Cond
	lines  [][]byte
	closed bool
}

func newOutbox() *outbox {
	o := &outbox{}
	o.filled = sync.NewCond(&o.mu)
	return o
}

// put adds a line, which is dropped if the outbox is closed.
func (o *outbox) put(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.lines = append(o.lines, line)
		o.filled.Signal()
	}
}

// close lets what is there be written, and no more.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.filled.Signal()
}

// take waits for lines and returns them; there are none when the outbox is closed.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.lines) == 0 && !o.closed {
		o.filled.Wait()
	}
	lines := o.lines
	o.lines = nil
	return lines
}

// writeTo writes all lines as they come, and closes the output after the last one. That there is nobody to read is
// no error: the end of stdout tells of it.
func (o *outbox) writeTo(output io.WriteCloser) {
	defer func() { _ = output.Close() }()
	for lines := o.take(); len(lines) > 0; lines = o.take() {
		for _, line := range lines {
			if _, err := output.Write(line); err != nil {
				o.close()
				return
			}
		}
	}
}
