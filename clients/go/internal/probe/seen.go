package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"llmsidecar"
)

// longestText is the longest that is written as it is.
const longestText = 1000

type object map[string]any

// outcome returns what was seen, or the error.
func outcome(seen object, err error) any {
	if err != nil {
		return failure(err)
	}
	return seen
}

// ending adds to what was seen how the stream ended.
func ending(seen object, stream *llmsidecar.ChatStream) any {
	result, err := stream.Result()
	if err != nil {
		seen["error"] = failure(err)["error"]
		return seen
	}
	ended := object{"finish_reason": result.FinishReason.Reason, "chunks": result.Chunks, "text": nil}
	if result.Message != nil {
		ended["text"] = result.Text()
	}
	seen["result"] = ended
	return seen
}

func failure(err error) object {
	var failed *llmsidecar.Error
	if !errors.As(err, &failed) {
		return object{"error": object{"type": fmt.Sprintf("%T: %v", err, err)}}
	}
	seen := object{"type": failed.Type, "category": failed.Category, "retryable": failed.Retryable}
	if failed.RetryAfter > 0 {
		seen["retry_after_ms"] = failed.RetryAfter.Milliseconds()
	}
	if failed.Data.Partial != nil {
		seen["partial"] = failed.Data.Partial.Text()
	}
	return object{"error": seen}
}

// abridged returns what is to be written, with the length in the place of each long text.
func abridged(seen any) any {
	data, err := json.Marshal(seen)
	if err != nil {
		fail(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		fail(err)
	}
	return shortened(plain)
}

func shortened(value any) any {
	switch value := value.(type) {
	case string:
		if count := utf8.RuneCountInString(value); count > longestText {
			return fmt.Sprintf("<%d characters>", count)
		}
	case []any:
		for at := range value {
			value[at] = shortened(value[at])
		}
	case map[string]any:
		for name := range value {
			value[name] = shortened(value[name])
		}
	}
	return value
}
