package llmsidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ChatStream is an answer that comes piece by piece. It ends in one of two ways: with a result, or with an error.
//
// Either iterate over [ChatStream.Events] or [ChatStream.Texts], or ask for the [ChatStream.Result] at once, or both in
// this order.
type ChatStream struct {
	// ID is the stream's own, which no other open stream has.
	ID string

	ctx     context.Context // whose end cancels the stream
	sidecar *Sidecar
	settled func(raw []byte) // is called with a result before anyone else sees it

	mu          sync.Mutex
	filled      *sync.Cond
	connection  *connection
	request     int64
	events      []StreamEvent // those that nobody has read
	chunks      int64         // how many came
	isRead      bool          // whether someone iterates
	discards    bool          // whether nobody will
	isCancelled bool
	isOver      bool
	result      *ChatResult
	err         *Error
	done        chan struct{}
	release     []func() bool // stops what waits for the end
}

// Stream asks a question, and returns the stream of the answer at once. The end of ctx cancels it, as
// [ChatStream.Cancel] does.
func (m ChatMethods) Stream(ctx context.Context, request StreamRequest) *ChatStream {
	stream := m.sidecar.newStream(ctx, request.StreamID)
	request.StreamID = stream.ID
	stream.open(request)
	return stream
}

func (s *Sidecar) newStream(ctx context.Context, id string) *ChatStream {
	if id == "" {
		id = s.newStreamID()
	}
	stream := &ChatStream{ID: id, ctx: ctx, sidecar: s, done: make(chan struct{})}
	stream.filled = sync.NewCond(&stream.mu)
	return stream
}

// open sends the request: in the order of the calls where there is a connection, else when there is one.
func (s *ChatStream) open(request any) {
	params, err := encodeParams(request)
	if err != nil {
		s.end(nil, asError(err))
		return
	}
	if c := s.sidecar.current(); c != nil {
		s.send(c, params)
	} else {
		go s.openLater(params)
	}
	s.endWith(context.AfterFunc(s.ctx, s.Cancel))
}

func (s *ChatStream) openLater(params []byte) {
	c, err := s.sidecar.connection(s.ctx)
	if err != nil {
		s.end(nil, asError(err))
		return
	}
	s.send(c, params)
}

func (s *ChatStream) send(c *connection, params []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver {
		return
	}
	request, err := c.send("chat.stream", params, s)
	if err != nil {
		s.endLocked(nil, err)
		return
	}
	s.connection, s.request = c, request
}

// endWith takes a function that stops something that is of no use after the end.
func (s *ChatStream) endWith(stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver {
		stop()
		return
	}
	s.release = append(s.release, stop)
}

// Cancel ends the stream early. The result then has the finish reason `cancelled`, and the message as far as it came.
func (s *ChatStream) Cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver || s.isCancelled {
		return
	}
	s.isCancelled = true
	if s.connection == nil {
		s.endLocked(nil, s.cancelled())
		return
	}
	s.connection.cancel(s.request)
	timer := time.AfterFunc(s.sidecar.options.CancelGrace, func() { s.end(nil, s.cancelled()) })
	s.release = append(s.release, timer.Stop)
}

func (s *ChatStream) cancelled() *Error {
	if err := s.ctx.Err(); err != nil {
		return cancelled(err)
	}
	return cancelled(context.Canceled)
}

// Result waits for the end, and returns the result or the error. If nobody iterates, the events are thrown away.
func (s *ChatStream) Result() (*ChatResult, error) {
	s.mu.Lock()
	if !s.isRead {
		s.discard()
	}
	s.mu.Unlock()
	<-s.done
	if s.err != nil {
		return nil, s.err
	}
	return s.result, nil
}

func (s *ChatStream) discard() {
	s.discards, s.events = true, nil
}

// receiveChunk takes a `stream.chunk`.
func (s *ChatStream) receiveChunk(e event) {
	if seq, err := strconv.ParseInt(string(e.seq), 10, 64); err != nil || seq != s.chunks {
		s.abort(invalidMessage(fmt.Errorf("%q in the place of chunk %d", e.seq, s.chunks), "A stream"))
		return
	}
	s.chunks++
	delta, err := decodeDelta(e.delta)
	if err != nil {
		s.abort(invalidMessage(err, "A chunk"))
		return
	}
	s.push(delta)
}

// receiveStatus takes a `stream.status`.
func (s *ChatStream) receiveStatus(e event) {
	var status StreamStatus
	if err := json.Unmarshal(e.params, &status); err != nil {
		s.abort(invalidMessage(err, "A status"))
		return
	}
	s.push(StatusEvent(status))
}

// receive takes the reply, which is the end.
func (s *ChatStream) receive(answer reply) {
	if answer.err != nil {
		s.end(nil, answer.err)
		return
	}
	result := new(ChatResult)
	if err := json.Unmarshal(answer.result, result); err != nil {
		s.end(nil, invalidMessage(err, "The result of a stream"))
		return
	}
	if result.Chunks == nil || *result.Chunks != s.chunks {
		s.end(nil, invalidMessage(fmt.Errorf("%d chunks came", s.chunks), "The number of chunks"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled != nil && !s.isOver {
		s.settled(answer.result)
	}
	s.endLocked(result, nil)
}

// push adds an event to those that nobody has read, of which there may not be too many.
func (s *ChatStream) push(event StreamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch limit := s.sidecar.options.MaxUnreadEvents; {
	case s.isOver || s.discards:
	case len(s.events) == limit:
		s.abortLocked(newError(ErrorTypeClientStalled, nil, "More than %d events were left unread.", limit))
	default:
		s.events = append(s.events, event)
		s.filled.Signal()
	}
}

// abort ends the stream with an error of the client's own, and cancels what is left of it.
func (s *ChatStream) abort(err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abortLocked(err)
}

func (s *ChatStream) abortLocked(err *Error) {
	if s.isOver {
		return
	}
	s.connection.cancel(s.request)
	s.endLocked(nil, err)
}

// end ends the stream, if it has not ended.
func (s *ChatStream) end(result *ChatResult, err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(result, err)
}

func (s *ChatStream) endLocked(result *ChatResult, err *Error) {
	if s.isOver {
		return
	}
	s.isOver, s.result, s.err = true, result, err
	for _, stop := range s.release {
		stop()
	}
	s.release = nil
	s.filled.Broadcast()
	close(s.done)
}
