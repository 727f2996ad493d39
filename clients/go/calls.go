package llmsidecar

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
)

// reply is what became of a request: a result, as a piece of a line that is valid only now, or an error.
type reply struct {
	result []byte
	err    *Error
}

// receiver takes the one reply to a request.
type receiver interface {
	receive(answer reply)
}

// request is one that has no reply yet.
type request struct {
	receiver
	method string
	params []byte // kept only where they are needed again
}

// call sends a request and waits for its reply; if ctx ends first, it cancels the request, and waits for
// `cancel_grace` at most.
func (c *connection) call(ctx context.Context, method string, params []byte) ([]byte, *Error) {
	answered := make(answers, 1)
	id, err := c.send(method, params, answered)
	if err != nil {
		return nil, err
	}
	select {
	case answer := <-answered:
		return answer.result, answer.err
	case <-ctx.Done():
	}
	c.cancel(id)
	return nil, c.cancelledCall(ctx, id, answered)
}

func (c *connection) cancelledCall(ctx context.Context, id int64, answered answers) *Error {
	timer := time.NewTimer(c.options.CancelGrace)
	defer timer.Stop()
	select {
	case answer := <-answered:
		if answer.err != nil && answer.err.Type == ErrorTypeRequestCancelled {
			answer.err.cause = ctx.Err()
			return answer.err
		}
	case <-timer.C:
		c.take(id)
	}
	return cancelled(ctx.Err())
}

// answers holds the reply to a call until its caller takes it.
type answers chan reply

func (a answers) receive(answer reply) {
	answer.result = append([]byte(nil), answer.result...)
	a <- answer
}

// message returns a line; without an id it is a notification.
func message(id *int64, method string, params []byte) []byte {
	line := make([]byte, 0, len(params)+len(method)+64)
	line = append(line, `{"jsonrpc":"2.0"`...)
	if id != nil {
		line = strconv.AppendInt(append(line, `,"id":`...), *id, 10)
	}
	name, _ := json.Marshal(method) // a string can always be encoded
	line = append(append(line, `,"method":`...), name...)
	line = append(append(line, `,"params":`...), params...)
	return append(line, '}', '\n')
}
