package llmsidecar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Ptr returns a pointer to a value, for members that may be left out.
func Ptr[T any](value T) *T {
	return &value
}

// Object is any JSON object, as it came or is to be sent; nil is `{}`.
type Object []byte

// ObjectOf returns the JSON of a value, which must be an object there.
func ObjectOf(value any) (Object, error) {
	data, err := json.Marshal(value)
	if err == nil && first(data) != '{' {
		err = unexpected(data)
	}
	return data, err
}

// MarshalJSON returns the JSON as it is.
func (o Object) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("{}"), nil
	}
	if first(o) != '{' {
		return nil, unexpected(o)
	}
	return o, nil
}

// UnmarshalJSON keeps the JSON of an object.
func (o *Object) UnmarshalJSON(data []byte) error {
	if first(data) != '{' {
		return unexpected(data)
	}
	*o = bytes.Clone(data)
	return nil
}

const hidden = "[secret]"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret, whatever the verb.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// UserMessage returns what a user says.
func UserMessage(text string) Message {
	return Message{Role: RoleUser, Content: MessageContentFromText(text)}
}

// SystemMessage returns instructions.
func SystemMessage(text string) Message {
	return Message{Role: RoleSystem, Content: MessageContentFromText(text)}
}

// Text returns the words of a message: its text parts, joined.
func (m *Message) Text() string {
	if m == nil {
		return ""
	}
	if m.Content.Parts == nil {
		return m.Content.Text
	}
	var words strings.Builder
	for _, part := range m.Content.Parts {
		if text, is := part.(Text); is {
			words.WriteString(text.Text)
		}
	}
	return words.String()
}

// Text returns the words of the answer's message.
func (r *ChatResult) Text() string {
	return r.Message.Text()
}

// ToolCalls returns the calls in the answer's message, which a host answers with [Conversation.Answer].
func (r *ChatResult) ToolCalls() []ToolCall {
	var calls []ToolCall
	if r.Message == nil {
		return nil
	}
	for _, part := range r.Message.Content.Parts {
		if call, is := part.(ToolCall); is {
			calls = append(calls, call)
		}
	}
	return calls
}
