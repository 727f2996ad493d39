package llmsidecar

import (
	"encoding/json"
	"iter"
)

// StreamEvent is an item of a stream: any [Delta], or a [StatusEvent].
type StreamEvent interface {
	isStreamEvent()
}

// StatusEvent tells what a stream waits for; the latest counts.
type StatusEvent StreamStatus

func (StatusEvent) isStreamEvent() {}

// MarshalJSON encodes the status with the type `status`.
func (e StatusEvent) MarshalJSON() ([]byte, error) {
	type plain StatusEvent
	return json.Marshal(struct {
		Type string `json:"type"`
		plain
	}{"status", plain(e)})
}

// Events returns the events to range over, in their order; after the last one comes the error, if the stream ended
// with one. Leaving the loop early cancels the stream.
func (s *ChatStream) Events() iter.Seq2[StreamEvent, error] {
	return func(yield func(StreamEvent, error) bool) {
		s.beginReading()
		for {
			event, more := s.next()
			if !more {
				break
			}
			if !yield(event, nil) {
				s.leave()
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// Texts returns the texts of the answer to range over, as [ChatStream.Events] does with all events.
func (s *ChatStream) Texts() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for event, err := range s.Events() {
			text, is := event.(TextDelta)
			if (is || err != nil) && !yield(text.Text, err) {
				return
			}
		}
	}
}

func (s *ChatStream) beginReading() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isRead = true
}

// next waits for an event, and returns it; there are no more after the end.
func (s *ChatStream) next() (StreamEvent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.events) == 0 && !s.isOver {
		s.filled.Wait()
	}
	if len(s.events) == 0 {
		return nil, false
	}
	event := s.events[0]
	s.events[0] = nil
	s.events = s.events[1:]
	return event, true
}

// leave cancels a stream that nobody iterates over any longer.
func (s *ChatStream) leave() {
	s.mu.Lock()
	s.discard()
	s.mu.Unlock()
	s.Cancel()
}
