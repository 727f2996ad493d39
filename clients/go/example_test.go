package llmsidecar_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"llmsidecar"
)

func Example() {
	ctx := context.Background()
	sidecar, err := llmsidecar.Start(ctx, llmsidecar.Options{Args: []string{"--scripted"}})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = sidecar.Close() }() // never fails
	config := llmsidecar.SetActiveParams{Config: llmsidecar.ScriptedConfig{}}
	if _, err := sidecar.Providers.SetActive(ctx, config); err != nil {
		log.Print(err)
		return
	}
	answer, err := sidecar.Chat.Complete(ctx, llmsidecar.ChatRequest{
		Messages: []llmsidecar.Message{llmsidecar.UserMessage("Hello!")}, Temperature: llmsidecar.Ptr(0.0),
	})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(answer.Text())
}

func ExampleChatStream_Events() {
	show := func(stream *llmsidecar.ChatStream) error {
		for event, err := range stream.Events() {
			switch event := event.(type) {
			case llmsidecar.TextDelta:
				fmt.Print(event.Text)
			case llmsidecar.StatusEvent:
				fmt.Println(event.State)
			case nil:
				return err
			}
		}
		return nil
	}
	_ = show
}

func ExampleError() {
	pause := func(err error) time.Duration {
		var failed *llmsidecar.Error
		if errors.As(err, &failed) && failed.Retryable {
			return max(failed.RetryAfter, time.Second)
		}
		return 0
	}
	fmt.Println(pause(&llmsidecar.Error{Type: llmsidecar.ErrorTypeRateLimited, Retryable: true}))
	// Output: 1s
}

func ExampleMessage() {
	message := llmsidecar.Message{Role: llmsidecar.RoleUser, Content: llmsidecar.MessageContentFromParts(
		llmsidecar.Text{Text: "What is this?"},
		llmsidecar.File{MediaType: "image/png", Source: llmsidecar.URLSource{URL: "https://example.org/a.png"}},
	)}
	encoded, err := json.Marshal(message.Content.Parts[1])
	fmt.Println(string(encoded), err)
	// Output: {"type":"file","media_type":"image/png","source":{"type":"url","url":"https://example.org/a.png"}} <nil>
}

func ExampleSecret() {
	config := llmsidecar.OpenAIConfig{Model: "m", APIKey: "sk-1234"}
	fmt.Println(config.APIKey)
	// Output: [secret]
}
