package llmsidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// Sidecar is a sidecar that runs, and is started anew if need be. It is safe for concurrent use.
type Sidecar struct {
	Methods

	options        Options
	configurations *configurations
	closing        chan struct{}
	closed         chan struct{}
	open           sync.WaitGroup // the connections of which something is left

	mu         sync.Mutex
	isClosing  bool
	live       *connection
	info       *InitializeResult
	attempt    *attempt
	backoff    backoff
	lastStream int64
}

// attempt is a start that callers wait for.
type attempt struct {
	done       chan struct{}
	connection *connection
	err        error
}

// Start starts a sidecar and waits for its handshake; ctx is for the start alone.
func Start(ctx context.Context, options Options) (*Sidecar, error) {
	s := &Sidecar{
		options:        options.complete(),
		configurations: &configurations{},
		closing:        make(chan struct{}),
		closed:         make(chan struct{}),
	}
	s.Methods = methodsOf(s)
	c, info, err := s.handshake(ctx)
	if err != nil {
		return nil, err
	}
	s.use(c, info)
	return s, nil
}

// String tells which process it is.
func (s *Sidecar) String() string {
	return fmt.Sprintf("llm-sidecar, process %d", s.PID())
}

// GoString tells which process it is.
func (s *Sidecar) GoString() string {
	return s.String()
}

// PID returns the id of the sidecar's process, or 0 while there is none.
func (s *Sidecar) PID() int {
	if c := s.current(); c != nil {
		return c.process.command.Process.Pid
	}
	return 0
}

// Info returns what the sidecar said of itself in the latest handshake.
func (s *Sidecar) Info() *InitializeResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// Request calls a method by its name, and decodes the result into what result points to, if it is not nil.
//
// It is for methods that a newer sidecar has; others are in [Methods].
func (s *Sidecar) Request(ctx context.Context, method string, params, result any) error {
	encoded, err := encodeParams(params)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	c, err := s.connection(ctx)
	if err != nil {
		return err
	}
	raw, failed := c.call(ctx, method, encoded)
	if failed != nil {
		return failed
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return invalidMessage(err, "The result of "+method)
	}
	return nil
}

// call is Request with a type.
func call[T any](ctx context.Context, s *Sidecar, method string, params any) (*T, error) {
	result := new(T)
	if err := s.Request(ctx, method, params, result); err != nil {
		return nil, err
	}
	return result, nil
}

func encodeParams(params any) ([]byte, error) {
	if params == nil {
		return []byte("{}"), nil
	}
	encoded, err := json.Marshal(params)
	if err == nil && first(encoded) != '{' {
		err = errNoObject
	}
	if err != nil {
		return nil, invalidParams(err)
	}
	return encoded, nil
}

// Close ends the sidecar, and returns when nothing is left of it. What is open ends first, as the protocol says, or
// fails with `connection_closed`. It may be called at any time, and more than once.
func (s *Sidecar) Close() error {
	s.mu.Lock()
	isFirst := !s.isClosing
	s.isClosing = true
	c := s.live
	s.mu.Unlock()
	if isFirst {
		close(s.closing)
		if c != nil {
			c.close()
		}
		s.open.Wait()
		close(s.closed)
	}
	<-s.closed
	return nil
}

// handshake starts a process and returns its connection when the sidecar has answered; else nothing is left of it.
func (s *Sidecar) handshake(ctx context.Context) (*connection, *InitializeResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, cancelled(err)
	}
	c, err := openConnection(s.options, s.configurations, s.lost)
	if err != nil {
		return nil, nil, err
	}
	s.open.Add(1)
	go func() {
		defer s.open.Done()
		<-c.gone
	}()
	info, err := s.initialize(ctx, c)
	if err != nil {
		c.process.family.kill()
		<-c.gone
		return nil, nil, err
	}
	c.readyAt = time.Now()
	return c, info, nil
}

func (s *Sidecar) initialize(ctx context.Context, c *connection) (*InitializeResult, error) {
	params, err := encodeParams(InitializeParams{
		ProtocolVersion: ProtocolVersion,
		ClientInfo:      s.options.ClientInfo,
		ProcessID:       Ptr(int64(os.Getpid())),
	})
	if err != nil {
		return nil, err
	}
	answered := make(answers, 1)
	if _, err := c.send("initialize", params, answered); err != nil {
		return nil, err
	}
	timer := time.NewTimer(s.options.StartTimeout)
	defer timer.Stop()
	select {
	case answer := <-answered:
		return welcome(answer)
	case <-ctx.Done():
		return nil, cancelled(ctx.Err())
	case <-s.closing:
		return nil, connectionClosed("it was closed")
	case <-timer.C:
		return nil, connectionClosed("it did not answer the handshake in time")
	}
}

func welcome(answer reply) (*InitializeResult, error) {
	if answer.err != nil {
		return nil, answer.err
	}
	info := new(InitializeResult)
	if err := json.Unmarshal(answer.result, info); err != nil {
		return nil, invalidMessage(err, "The handshake")
	}
	if info.ProtocolVersion != ProtocolVersion {
		return nil, newError(
			ErrorTypeUnsupportedProtocolVersion, nil,
			"The sidecar speaks version %d of the protocol, the client %d.", info.ProtocolVersion, ProtocolVersion,
		)
	}
	return info, nil
}

// newStreamID returns an id that no open stream has.
func (s *Sidecar) newStreamID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.lastStream++
		id := "s" + strconv.FormatInt(s.lastStream, 10)
		if s.live == nil || s.live.stream([]byte(id)) == nil {
			return id
		}
	}
}
