package llmsidecar

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const text = "{\"a\":1}\n\n  \r\n{\"b\":\"é\u2028\u2029\u0085\r𝄞\"}\r\nlast"

var wantedLines = []string{`{"a":1}`, "", "  ", "{\"b\":\"é\u2028\u2029\u0085\r𝄞\"}"}

// split returns the lines that are read, and why there are no more.
func split(input io.Reader, limit int) ([]string, error) {
	lines := []string{}
	for reader := newLineReader(input, limit); ; {
		line, err := reader.next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(line))
	}
}

func TestLinesAreTheSameHoweverTheyAreCut(t *testing.T) {
	for at := range len(text) {
		input := io.MultiReader(strings.NewReader(text[:at]), strings.NewReader(text[at:]))
		if lines, err := split(input, len(text)); !slices.Equal(lines, wantedLines) || !errors.Is(err, io.EOF) {
			t.Errorf("cut at %d: got %q and %v", at, lines, err)
		}
	}
	if lines, _ := split(iotest.OneByteReader(strings.NewReader(text)), len(text)); !slices.Equal(lines, wantedLines) {
		t.Errorf("byte by byte: got %q", lines)
	}
}

func TestLinesOfAllLengthsAreWhole(t *testing.T) {
	wanted := []string{}
	for _, length := range []int{0, 1, readBytes - 1, readBytes, readBytes + 1, 3 * keptLineBytes, 5, readBytes} {
		wanted = append(wanted, strings.Repeat("x", length))
	}
	input := iotest.HalfReader(strings.NewReader(strings.Join(wanted, "\n") + "\n"))
	if lines, err := split(input, 3*keptLineBytes); !slices.Equal(lines, wanted) {
		t.Errorf("got %d lines and %v", len(lines), err)
	}
}

func TestALineMayBeAsLongAsTheLimitAndNoLonger(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		if lines, err := split(strings.NewReader("12345"+end), 5); len(lines) != 1 || !errors.Is(err, io.EOF) {
			t.Errorf("got %q and %v", lines, err)
		}
		if lines, err := split(strings.NewReader("123456"+end), 5); len(lines) != 0 || !errors.Is(err, errLineTooLong) {
			t.Errorf("got %q and %v", lines, err)
		}
	}
	endless := io.MultiReader(strings.NewReader("1234567"), iotest.ErrReader(errors.New("read on")))
	if _, err := split(endless, 5); !errors.Is(err, errLineTooLong) {
		t.Errorf("got %v", err)
	}
}
