package main

import (
	"context"

	"llmsidecar"
)

// client reads the same through the client.
func client(streams int, command []string) error {
	ctx := context.Background()
	sidecar, err := llmsidecar.Start(ctx, llmsidecar.Options{Command: command[0], Args: command[1:]})
	if err != nil {
		return err
	}
	defer sidecar.Close()
	for range streams {
		var latencies []float64
		before := cpu()
		stream := sidecar.Chat.Stream(ctx, llmsidecar.StreamRequest{
			Messages: []llmsidecar.Message{{Role: llmsidecar.RoleUser, Content: llmsidecar.MessageContent{Text: "Go."}}},
		})
		for text, err := range stream.Texts() {
			if err != nil {
				return err
			}
			latencies = append(latencies, since(text))
		}
		if _, err := stream.Result(); err != nil {
			return err
		}
		report(before, latencies)
	}
	return nil
}
