package main

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"sync"
	"time"

	"llmsidecar"
)

// step is one of a scenario's, with the members that any step may have.
type step struct {
	Do            string          `json:"do"`
	As            string          `json:"as"`
	Method        string          `json:"method"`
	Params        json.RawMessage `json:"params"`
	Count         *int            `json:"count"`
	CancelAfterMs *int            `json:"cancel_after_ms"`
	Content       string          `json:"content"`
	Contains      string          `json:"contains"`
	Options       options         `json:"options"`
}

type options struct {
	StartTimeoutMs  int   `json:"start_timeout_ms"`
	StopGraceMs     int   `json:"stop_grace_ms"`
	CancelGraceMs   int   `json:"cancel_grace_ms"`
	MaxLineBytes    int   `json:"max_line_bytes"`
	MaxUnreadEvents int   `json:"max_unread_events"`
	Restart         *bool `json:"restart"`
}

// reading is a stream, and the iteration over it, if there is one.
type reading struct {
	*llmsidecar.ChatStream
	next func() (llmsidecar.StreamEvent, error, bool)
	stop func()
}

// host is the client and all that is open with it, by the names that the steps gave them.
type host struct {
	command      string
	args         []string
	client       *llmsidecar.Sidecar
	conversation *llmsidecar.Conversation
	streams      map[string]*reading
	calls        map[string]chan any
	log          log
}

// log holds the lines that the log callback was given.
type log struct {
	mu    sync.Mutex
	grown sync.Cond
	lines []string
}

var verbs = map[string]func(*host, step) any{
	"start":    (*host).start,
	"call":     (*host).call,
	"typed":    (*host).typed,
	"begin":    (*host).begin,
	"end":      (*host).end,
	"stream":   (*host).stream,
	"read":     (*host).read,
	"texts":    (*host).texts,
	"result":   (*host).result,
	"cancel":   (*host).cancel,
	"leave":    (*host).leave,
	"log":      (*host).logged,
	"converse": (*host).converse,
	"messages": (*host).messages,
	"pid":      (*host).pid,
	"wait":     (*host).wait,
	"close":    (*host).close,
}

func newHost(command string, args []string) *host {
	h := &host{command: command, args: args, streams: map[string]*reading{}, calls: map[string]chan any{}}
	h.log.grown.L = &h.log.mu
	return h
}

func (h *host) start(step step) any {
	o := step.Options
	client, err := llmsidecar.Start(context.Background(), llmsidecar.Options{
		Command:         h.command,
		Args:            h.args,
		ClientInfo:      llmsidecar.ClientInfo{Name: "probe"},
		OnLog:           h.log.add,
		NoRestart:       o.Restart != nil && !*o.Restart,
		StartTimeout:    milliseconds(o.StartTimeoutMs),
		StopGrace:       milliseconds(o.StopGraceMs),
		CancelGrace:     milliseconds(o.CancelGraceMs),
		MaxLineBytes:    o.MaxLineBytes,
		MaxUnreadEvents: o.MaxUnreadEvents,
	})
	if err != nil {
		return failure(err)
	}
	h.client = client
	h.conversation, err = llmsidecar.NewConversation(client, llmsidecar.ChatRequest{})
	return outcome(object{"started": true}, err)
}

func milliseconds(count int) time.Duration {
	return time.Duration(count) * time.Millisecond
}

func (h *host) call(step step) any {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if step.CancelAfterMs != nil {
		defer time.AfterFunc(milliseconds(*step.CancelAfterMs), cancel).Stop()
	}
	var params any
	if step.Params != nil {
		params = step.Params
	}
	var result json.RawMessage
	err := h.client.Request(ctx, step.Method, params, &result)
	return outcome(object{"result": result}, err)
}

func (h *host) typed(step step) any {
	ctx := context.Background()
	var result any
	var err error
	switch step.Method {
	case "server.ping":
		result, err = h.client.Server.Ping(ctx)
	case "providers.list":
		result, err = h.client.Providers.List(ctx)
	case "models.list":
		result, err = h.client.Models.List(ctx, llmsidecar.OptionalProvider{})
	}
	return outcome(object{"result": result}, err)
}

func (h *host) begin(step step) any {
	ended := make(chan any, 1)
	h.calls[step.As] = ended
	go func() { ended <- h.call(step) }()
	return object{"begun": step.As}
}

func (h *host) end(step step) any {
	return <-h.calls[step.As]
}

func (h *host) stream(step step) any {
	request := llmsidecar.StreamRequest{Messages: []llmsidecar.Message{llmsidecar.UserMessage("Hi")}}
	if step.Params != nil {
		if err := json.Unmarshal(step.Params, &request); err != nil {
			fail(err)
		}
	}
	stream := h.client.Chat.Stream(context.Background(), request)
	h.streams[step.As] = &reading{ChatStream: stream}
	return object{"stream_id": stream.ID}
}

// events reads so many events, or all.
func (h *host) events(step step) (*reading, []llmsidecar.StreamEvent) {
	stream, events := h.streams[step.As], []llmsidecar.StreamEvent{}
	if stream.next == nil {
		stream.next, stream.stop = iter.Pull2(stream.Events())
	}
	for step.Count == nil || len(events) < *step.Count {
		event, err, more := stream.next()
		if err != nil || !more {
			break
		}
		events = append(events, event)
	}
	return stream, events
}

func (h *host) read(step step) any {
	stream, events := h.events(step)
	if step.Count != nil {
		return object{"events": events}
	}
	return ending(object{"events": events}, stream.ChatStream)
}

func (h *host) leave(step step) any {
	stream, events := h.events(step)
	stream.stop()
	return object{"events": events}
}

func (h *host) texts(step step) any {
	stream := h.streams[step.As]
	var joined strings.Builder
	for text := range stream.Texts() {
		joined.WriteString(text)
	}
	return ending(object{"text": joined.String()}, stream.ChatStream)
}

func (h *host) result(step step) any {
	return ending(object{}, h.streams[step.As].ChatStream)
}

func (h *host) cancel(step step) any {
	h.streams[step.As].Cancel()
	return object{"cancelled": step.As}
}

func (h *host) converse(step step) any {
	content := llmsidecar.MessageContentFromText(step.Content)
	return ending(object{}, h.conversation.Send(context.Background(), content))
}

func (h *host) messages(step) any {
	return object{"messages": h.conversation}
}

func (h *host) pid(step) any {
	return object{"pid": h.client.PID()}
}

func (h *host) wait(step) any {
	select {}
}

func (h *host) close(step) any {
	if h.client == nil {
		return nil
	}
	return outcome(object{"closed": true}, h.client.Close())
}

func (h *host) logged(step step) any {
	h.log.await(step.Contains)
	return object{"logged": true}
}

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	l.grown.Broadcast()
}

func (l *log) await(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seen := 0; ; l.grown.Wait() {
		for ; seen < len(l.lines); seen++ {
			if strings.Contains(l.lines[seen], text) {
				return
			}
		}
	}
}
