package llmsidecar

import (
	"context"
	"errors"
	"testing"
)

func TestEventsComeInOrderAndThenTheResult(t *testing.T) {
	stream := begin(t, fakeOptions("stream")).Chat.Stream(soon(t), question())
	var events []StreamEvent
	for event, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	wanted := []StreamEvent{
		TextDelta{Index: 0, Text: "Hel"}, StatusEvent{State: StateThinking, StreamID: "s1"}, TextDelta{Index: 0, Text: "lo"},
	}
	if len(events) != 3 || events[0] != wanted[0] || events[1] != wanted[1] || events[2] != wanted[2] {
		t.Errorf("got %+v", events)
	}
	result, err := stream.Result()
	if err != nil || result.Text() != "Hello" || result.FinishReason.Reason != ReasonStop {
		t.Errorf("got %+v and %v", result, err)
	}
}

func TestTextsCanBeReadAlone(t *testing.T) {
	stream := begin(t, fakeOptions("stream")).Chat.Stream(soon(t), question())
	joined := ""
	for text, err := range stream.Texts() {
		if err != nil {
			t.Fatal(err)
		}
		joined += text
	}
	if joined != "Hello" {
		t.Errorf("got %q", joined)
	}
}

func TestLeavingALoopCancelsTheStream(t *testing.T) {
	client := begin(t, fakeOptions("endless"))
	for range 2 {
		stream := client.Chat.Stream(soon(t), question())
		for range stream.Events() {
			break
		}
		requireCancelled(t, stream)
	}
}

func TestLeavingALoopOverTextsCancelsTheStream(t *testing.T) {
	stream := begin(t, fakeOptions("endless")).Chat.Stream(soon(t), question())
	for range stream.Texts() {
		break
	}
	requireCancelled(t, stream)
}

func TestTheEndOfTheContextCancelsAStream(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream := begin(t, fakeOptions("endless")).Chat.Stream(ctx, question())
	for _, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	requireCancelled(t, stream)
}

func requireCancelled(t *testing.T, stream *ChatStream) {
	t.Helper()
	result, err := stream.Result()
	if err != nil || result.FinishReason.Reason != ReasonCancelled || result.Text() != "Once" {
		t.Errorf("got %+v and %v", result, err)
	}
}

func TestAStreamWhoseContextHasEndedIsCancelled(t *testing.T) {
	options := fakeOptions("deaf")
	options.CancelGrace = 1
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stream := begin(t, options).Chat.Stream(ctx, question())
	for _, err := range stream.Events() {
		requireType(t, err, ErrorTypeRequestCancelled)
	}
	if _, err := stream.Result(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAStreamThatCannotBeSentFails(t *testing.T) {
	request := question()
	request.ProviderOptions = map[string]Object{"x": Object("no object")}
	_, err := begin(t, fakeOptions("stream")).Chat.Stream(soon(t), request).Result()
	requireType(t, err, ErrorTypeInvalidParams)
}

func TestAStreamAfterACrashWaitsForTheNewSidecar(t *testing.T) {
	client := begin(t, fakeOptions("stream"))
	first := client.current()
	first.process.family.kill()
	<-first.gone
	for range 2 {
		result, err := client.Chat.Stream(soon(t), question()).Result()
		if err != nil || result.Text() != "Hello" {
			t.Errorf("got %+v and %v", result, err)
		}
	}
}
