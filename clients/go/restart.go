package llmsidecar

import (
	"context"
	"time"
)

// current returns the connection if there is one that has not ended.
func (s *Sidecar) current() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosing || s.live == nil || s.live.hasEnded() {
		return nil
	}
	return s.live
}

// connection returns the connection, and makes one if there is none.
func (s *Sidecar) connection(ctx context.Context) (*connection, error) {
	c, a, err := s.begin()
	if c != nil || err != nil {
		return c, err
	}
	select {
	case <-a.done:
		return a.connection, a.err
	case <-ctx.Done():
		return nil, cancelled(ctx.Err())
	}
}

// begin returns the connection, or else the attempt at one that is under way, or begins one if that is allowed.
func (s *Sidecar) begin() (*connection, *attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	pause, givenUp := s.backoff.next(time.Now())
	switch {
	case s.isClosing:
		return nil, nil, connectionClosed("it was closed")
	case s.live != nil:
		return s.live, nil, nil
	case s.attempt != nil:
		return nil, s.attempt, nil
	case s.options.NoRestart:
		return nil, nil, connectionClosed("it has ended")
	case givenUp:
		return nil, nil, connectionClosed("it has ended too often")
	}
	s.attempt = &attempt{done: make(chan struct{})}
	s.open.Add(1)
	go s.run(s.attempt, pause)
	return nil, s.attempt, nil
}

// run waits, starts a sidecar anew, and makes its configurations again. It depends on no caller: others may wait.
func (s *Sidecar) run(a *attempt, pause time.Duration) {
	defer s.open.Done()
	defer close(a.done)
	c, info, err := s.startAgain(pause)
	if err == nil {
		s.configurations.again(func(method string, params []byte) {
			_, _ = c.send(method, params, remade{s.options, method}) // what comes next tells if it has ended
		})
		s.use(c, info)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.connection, a.err = c, err
	s.attempt = nil
	if err != nil {
		s.backoff.note(0, time.Now())
	}
}

func (s *Sidecar) startAgain(pause time.Duration) (*connection, *InitializeResult, error) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
		return nil, nil, connectionClosed("it was closed")
	}
	return s.handshake(context.Background())
}

// use makes a connection the one that calls go to, unless the client was closed meanwhile.
func (s *Sidecar) use(c *connection, info *InitializeResult) {
	s.mu.Lock()
	s.live, s.info = c, info
	s.settle()
	closing := s.isClosing
	s.mu.Unlock()
	if closing {
		c.close()
	}
}

// settle takes note of the end of the connection that was in use.
func (s *Sidecar) settle() {
	if s.live != nil && s.live.hasEnded() {
		s.backoff.note(time.Since(s.live.readyAt), time.Now())
		s.live = nil
	}
}

// lost is called when a connection has ended.
func (s *Sidecar) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

// remade takes the reply to a call that makes a configuration again.
type remade struct {
	options Options
	method  string
}

func (r remade) receive(answer reply) {
	if answer.err != nil {
		r.options.log("llm-sidecar: " + r.method + " failed after a restart: " + answer.err.Error())
	}
}
