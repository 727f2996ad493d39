package llmsidecar

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// maxLoggedBytes is how much of a line that cannot be read is given to the log.
const maxLoggedBytes = 1 << 10

var (
	errNoObject  = errors.New("it is no object")
	errNoOutcome = errors.New("it needs either a result or an error")
)

// envelope holds the members of a message, as pieces of its line.
type envelope struct {
	id, method, params, result, err []byte
}

// dispatch takes one line to whom it concerns.
func (c *connection) dispatch(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	if first(line) != '{' || !json.Valid(line) {
		c.logLine("not a message", line)
		return
	}
	switch m := envelopeOf(line); {
	case m.method != nil:
		c.dispatchNotification(m)
	case m.err != nil && first(m.id) == 'n':
		c.logLine("an error without an id", line)
	case m.id != nil:
		c.dispatchReply(m)
	}
}

func envelopeOf(line []byte) envelope {
	var m envelope
	for name, value := range members(line) {
		switch string(name) {
		case "id":
			m.id = value
		case "method":
			m.method = value
		case "params":
			m.params = value
		case "result":
			m.result = value
		case "error":
			m.err = value
		}
	}
	return m
}

// event holds the members of the params of a notification about a stream, as pieces of its line.
type event struct {
	params, streamID, seq, delta []byte
}

func eventOf(params []byte) event {
	e := event{params: params}
	for name, value := range members(params) {
		switch string(name) {
		case "stream_id":
			e.streamID = value
		case "seq":
			e.seq = value
		case "delta":
			e.delta = value
		}
	}
	return e
}

// dispatchNotification gives an event to its stream; there may be others some day, which are ignored.
func (c *connection) dispatchNotification(m envelope) {
	var receive func(*ChatStream, event)
	switch string(unquoted(m.method)) {
	case "stream.chunk":
		receive = (*ChatStream).receiveChunk
	case "stream.status":
		receive = (*ChatStream).receiveStatus
	default:
		return
	}
	e := eventOf(m.params)
	if first(e.streamID) != '"' {
		c.logLine("an event of no stream", m.params)
	} else if stream := c.stream(unquoted(e.streamID)); stream != nil {
		receive(stream, e)
	}
}

// dispatchReply gives a reply to whom it is due, and keeps in mind what it says of configurations.
func (c *connection) dispatchReply(m envelope) {
	id, err := strconv.ParseInt(string(m.id), 10, 64)
	if err != nil {
		return
	}
	request, open := c.take(id)
	if !open {
		return
	}
	answer := outcome(m)
	if answer.err == nil && request.params != nil {
		c.configurations.note(request.method, request.params)
	}
	request.receive(answer)
}

func outcome(m envelope) reply {
	switch {
	case (m.result == nil) == (m.err == nil):
		return reply{err: invalidMessage(errNoOutcome, "A reply")}
	case m.err != nil:
		return reply{err: repliedError(m.err)}
	case first(m.result) != '{':
		return reply{err: invalidMessage(errNoObject, "A result")}
	}
	return reply{result: m.result}
}

func (c *connection) logLine(what string, line []byte) {
	c.options.log("llm-sidecar wrote " + what + ": " + string(line[:min(len(line), maxLoggedBytes)]))
}
