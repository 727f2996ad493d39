package llmsidecar

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

const (
	readBytes     = 64 << 10 // how much is read at once, at least
	keptLineBytes = 1 << 20  // a larger buffer is given back after its line
)

var errLineTooLong = errors.New("a line is too long")

// lineReader splits what it reads at 0x0A, and nowhere else.
type lineReader struct {
	input   io.Reader
	limit   int
	buffer  []byte
	start   int // where the next line begins in the buffer
	scanned int // up to where there is no end of it
}

func newLineReader(input io.Reader, limit int) *lineReader {
	return &lineReader{input: input, limit: limit}
}

// next returns the next line without its end, valid until the next call; what has no end is no line.
//
// A line longer than the limit is errLineTooLong, after which there is no going on.
func (r *lineReader) next() ([]byte, error) {
	for {
		if length := bytes.IndexByte(r.buffer[r.scanned:], '\n'); length >= 0 {
			line := r.buffer[r.start : r.scanned+length]
			r.start = r.scanned + length + 1
			r.scanned = r.start
			return r.checked(bytes.TrimSuffix(line, []byte("\r")))
		}
		r.scanned = len(r.buffer)
		if r.scanned-r.start > r.limit+len("\r") {
			return nil, errLineTooLong
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

func (r *lineReader) checked(line []byte) ([]byte, error) {
	if len(line) > r.limit {
		return nil, errLineTooLong
	}
	return line, nil
}

// fill reads more, after it has made room by what was given out before.
func (r *lineReader) fill() error {
	rest := r.buffer[r.start:]
	if cap(r.buffer) > keptLineBytes && len(rest) < readBytes {
		r.buffer = slices.Clone(rest)
	} else {
		r.buffer = r.buffer[:copy(r.buffer, rest)]
	}
	r.start, r.scanned = 0, len(r.buffer)
	r.buffer = slices.Grow(r.buffer, readBytes)
	count, err := r.input.Read(r.buffer[len(r.buffer):cap(r.buffer)])
	r.buffer = r.buffer[:len(r.buffer)+count]
	if count > 0 {
		return nil
	}
	return err
}
