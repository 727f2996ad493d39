package llmsidecar

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// Conversation keeps the messages of a chat, with all that is in them as it came, and asks with all of them.
//
// One turn is to end before the next begins. It is safe for concurrent use.
type Conversation struct {
	sidecar *Sidecar
	request ChatRequest

	mu       sync.Mutex
	messages []json.RawMessage
}

// NewConversation returns a conversation whose questions are asked with the options of a request; it begins with the
// request's messages.
func NewConversation(sidecar *Sidecar, request ChatRequest) (*Conversation, error) {
	c := &Conversation{sidecar: sidecar, request: request}
	c.request.Messages, c.request.IncludeMessage = nil, nil
	for _, message := range request.Messages {
		raw, err := json.Marshal(message)
		if err != nil {
			return nil, invalidParams(err)
		}
		c.messages = append(c.messages, raw)
	}
	return c, nil
}

// Send asks with a user's message. When the stream ends with a message, the question and the answer are kept; a turn
// that fails leaves the conversation as it was.
func (c *Conversation) Send(ctx context.Context, content MessageContent) *ChatStream {
	return c.ask(ctx, Message{Role: RoleUser, Content: content})
}

// Answer asks on with what the tools answered that the model wanted called.
func (c *Conversation) Answer(ctx context.Context, results ...ToolResult) *ChatStream {
	parts := make([]Part, len(results))
	for at, result := range results {
		parts[at] = result
	}
	return c.ask(ctx, Message{Role: RoleTool, Content: MessageContentFromParts(parts...)})
}

// Messages returns the messages so far.
func (c *Conversation) Messages() ([]Message, error) {
	raw := c.kept()
	messages := make([]Message, len(raw))
	for at, message := range raw {
		if err := json.Unmarshal(message, &messages[at]); err != nil {
			return nil, invalidMessage(err, "A message")
		}
	}
	return messages, nil
}

// MarshalJSON encodes the messages as they came.
func (c *Conversation) MarshalJSON() ([]byte, error) {
	return json.Marshal(nonNil(c.kept()))
}

// UnmarshalJSON puts messages in the place of those that there are.
func (c *Conversation) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for _, message := range raw {
		if err := json.Unmarshal(message, new(Message)); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = raw
	return nil
}

func (c *Conversation) kept() []json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

func (c *Conversation) ask(ctx context.Context, question Message) *ChatStream {
	stream := c.sidecar.newStream(ctx, "")
	asked, params, err := c.params(stream.ID, question)
	if err != nil {
		stream.end(nil, invalidParams(err))
		return stream
	}
	stream.settled = func(result []byte) {
		if answer := member(result, "message"); first(answer) == '{' {
			c.keep(asked, bytes.Clone(answer))
		}
	}
	stream.open(params)
	return stream
}

// params returns the question as it is kept, and the request that asks it.
func (c *Conversation) params(id string, question Message) (json.RawMessage, map[string]any, error) {
	asked, err := json.Marshal(question)
	if err != nil {
		return nil, nil, err
	}
	options, err := json.Marshal(c.request)
	if err != nil {
		return nil, nil, err
	}
	params := map[string]any{}
	for name, value := range members(options) {
		params[string(name)] = json.RawMessage(value)
	}
	params["stream_id"] = id
	params["messages"] = append(c.kept(), asked)
	return asked, params, nil
}

func (c *Conversation) keep(messages ...json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, messages...)
}
