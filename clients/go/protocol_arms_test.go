package llmsidecar

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestWhatIsNotKnownIsKeptAsItCame(t *testing.T) {
	raw := `{"type":"x-new","index":"none","more":[1,null,{"type":"text"}]}`
	delta, err := decodeDelta([]byte(raw))
	if unknown, is := delta.(UnknownDelta); err != nil || !is || unknown.Type != "x-new" {
		t.Fatalf("got %+v and %v", delta, err)
	}
	encoded, err := json.Marshal(delta)
	if err != nil || string(encoded) != raw {
		t.Errorf("got %s and %v", encoded, err)
	}
}

func TestAnObjectWithAKnownTagMustBeWhatItSays(t *testing.T) {
	for _, raw := range []string{
		`{"type":"text","index":0}`, `{"type":"text","index":null,"text":""}`, `{"type":5}`, `{}`, `[]`, `null`,
		`{"type":"part","index":0,"part":{"type":"text"}}`,
	} {
		if delta, err := decodeDelta([]byte(raw)); err == nil {
			t.Errorf("%s was decoded as %+v", raw, delta)
		}
	}
}

func TestNamesAndTagsMayBeEscaped(t *testing.T) {
	delta, err := decodeDelta([]byte(`{"t\u0079pe" : "te\u0078t" , "index":0, "te\u0078t":"a\"b"}`))
	if err != nil || delta != (TextDelta{Text: `a"b`}) {
		t.Errorf("got %+v and %v", delta, err)
	}
}

func TestTheTagIsWrittenByTheEncoder(t *testing.T) {
	encoded, err := json.Marshal(Message{Role: RoleUser, Content: MessageContentFromParts(
		Text{Text: "<&>"}, &File{MediaType: "image/png", Source: URLSource{URL: "https://example.org/a.png"}},
	)})
	wanted := `{"role":"user","content":[{"type":"text","text":"<&>"},` +
		`{"type":"file","media_type":"image/png","source":{"type":"url","url":"https://example.org/a.png"}}]}`
	if err != nil || !sameJSON(t, encoded, []byte(wanted)) {
		t.Errorf("got %s and %v", encoded, err)
	}
}

func TestListsThatMustBeThereAreNeverNull(t *testing.T) {
	encoded, err := json.Marshal(ChatRequest{})
	if err != nil || string(encoded) != `{"messages":[]}` {
		t.Errorf("got %s and %v", encoded, err)
	}
}

func TestAMessageThatIsNullIsNotOneThatIsLeftOut(t *testing.T) {
	for raw, absent := range map[string]bool{`null`: false, ``: true} {
		data := `{"finish_reason":{"reason":"stop"},"usage":{},"cost":{"amount":null},"timing":{"total_ms":0},` +
			`"attempts":[],"warnings":[],"provider":"","model":""`
		if raw != "" {
			data += `,"message":` + raw
		}
		var result ChatResult
		if err := json.Unmarshal([]byte(data+"}"), &result); err != nil || result.MessageAbsent != absent {
			t.Errorf("got %+v and %v", result, err)
		}
	}
}

func TestSecretsAreSentAndNotShown(t *testing.T) {
	config := OpenAIConfig{APIKey: "sk-1", Headers: map[string]Secret{"x": "sk-1"}}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&shown, verb, config)
		fmt.Fprintf(&shown, verb, config.APIKey)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("made", "key", config.APIKey, "config", config)
	for _, leak := range []string{"sk-1", fmt.Sprintf("%x", "sk-1")} {
		if strings.Contains(shown.String(), leak) {
			t.Errorf("got %s", &shown)
		}
	}
	encoded, err := json.Marshal(config)
	wanted := `{"provider":"openai","api_key":"sk-1","headers":{"x":"sk-1"}}`
	if err != nil || string(encoded) != wanted {
		t.Errorf("got %s and %v", encoded, err)
	}
}

func TestObjectsMustBeObjects(t *testing.T) {
	if object, err := ObjectOf(map[string]int{"a": 1}); err != nil || string(object) != `{"a":1}` {
		t.Errorf("got %s and %v", object, err)
	}
	if _, err := ObjectOf([]int{1}); err == nil {
		t.Error("a list was taken")
	}
	if _, err := json.Marshal(Object(`[1]`)); err == nil {
		t.Error("a list was encoded")
	}
}

func FuzzDecodeDelta(f *testing.F) {
	f.Add([]byte(`{"type":"text","index":0,"text":"a\"}{"}`))
	f.Add([]byte(`{"type":"part","index":0,"part":{"type":"x","a":[{"b":"]"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		delta, err := decodeDelta(data)
		if err != nil || !json.Valid(data) {
			return
		}
		if _, err := json.Marshal(delta); err != nil {
			t.Errorf("%s cannot be encoded again: %v", data, err)
		}
	})
}
