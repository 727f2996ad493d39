package llmsidecar

import (
	"encoding/json"
	"testing"
)

const answerWithACall = `{"role":"assistant","x-more":1,"content":[{"type":"x-thought","by":[1]},` +
	`{"type":"tool_call","id":"c1","name":"weather","arguments":"{}","x-kept":{"a":null}}]}`

// talk answers with a tool call, then with the messages that it was sent, and then fails.
func talk(f *fake) {
	f.welcome()
	f.finish(f.await("chat.stream"), 0, answerWithACall, "tool_calls")
	second := f.await("chat.stream")
	text, _ := json.Marshal(second.member("messages"))
	f.finish(second, 0, `{"role":"assistant","content":`+string(text)+`}`, "stop")
	f.fail(f.await("chat.stream"), `{"type":"rate_limited","category":"ai","retryable":true}`)
	f.end()
}

func TestAConversationAsksWithAllMessagesAsTheyCame(t *testing.T) {
	client := begin(t, fakeOptions("talk"))
	conversation, err := NewConversation(client, ChatRequest{
		Messages: []Message{SystemMessage("Be brief.")}, IncludeMessage: Ptr(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := conversation.Send(soon(t), MessageContentFromText("Rain?")).Result()
	if err != nil || len(result.ToolCalls()) != 1 {
		t.Fatalf("got %+v and %v", result, err)
	}
	answer := ToolResult{ToolCallID: "c1", Content: ToolResultContentFromText("sunny")}
	result, err = conversation.Answer(soon(t), answer).Result()
	if err != nil {
		t.Fatal(err)
	}
	wanted := `[{"role":"system","content":"Be brief."},{"role":"user","content":"Rain?"},` + answerWithACall +
		`,{"role":"tool","content":[{"type":"tool_result","tool_call_id":"c1","content":"sunny"}]}]`
	if !sameJSON(t, []byte(result.Text()), []byte(wanted)) {
		t.Errorf("got  %s\nwant %s", result.Text(), wanted)
	}
	requireKept(t, conversation, 5)
	_, err = conversation.Send(soon(t), MessageContentFromText("And now?")).Result()
	requireType(t, err, ErrorTypeRateLimited)
	requireKept(t, conversation, 5)
}

func requireKept(t *testing.T, conversation *Conversation, count int) {
	t.Helper()
	messages, err := conversation.Messages()
	if err != nil || len(messages) != count {
		t.Errorf("got %d messages and %v", len(messages), err)
	}
}

func TestAConversationIsSavedAndRestoredAsItWas(t *testing.T) {
	saved := []byte(`[{"role":"user","content":"Rain?"},` + answerWithACall + `]`)
	conversation, err := NewConversation(nil, ChatRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(saved, conversation); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(conversation)
	if err != nil || !sameJSON(t, again, saved) {
		t.Errorf("got %s and %v", again, err)
	}
	if json.Unmarshal([]byte(`[{"role":"nobody","content":""}]`), conversation) == nil {
		t.Error("a message that is none was taken")
	}
	requireKept(t, conversation, 2)
}
