package llmsidecar

import (
	"context"
	"strconv"
	"testing"
)

// BenchmarkChunk measures what a chunk costs from its line to the host's loop.
func BenchmarkChunk(b *testing.B) {
	c := &connection{streams: map[string][]*ChatStream{}}
	s := &Sidecar{options: Options{}.complete()}
	stream := s.newStream(context.Background(), "s1")
	c.streams[stream.ID] = []*ChatStream{stream}
	next := 0
	for b.Loop() {
		line := append([]byte(nil), `{"jsonrpc":"2.0","method":"stream.chunk","params":{"stream_id":"s1","seq":`...)
		line = strconv.AppendInt(line, int64(next), 10)
		c.dispatch(append(line, `,"delta":{"type":"text","index":0,"text":" word"}}}`...))
		if _, more := stream.next(); !more {
			b.Fatal("no event")
		}
		next++
	}
}
