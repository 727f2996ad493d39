package llmsidecar

import (
	"bytes"
	"encoding/json"
	"iter"
)

// members yields the names and values of the members of a JSON object that is known to be valid.
//
// The values are pieces of object, not copies.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if first(object) != '{' {
			return
		}
		for at := skipSpace(object, 0) + 1; ; {
			at = skipSpace(object, at)
			if at >= len(object) || object[at] != '"' {
				return
			}
			nameEnd := stringEnd(object, at)
			start := skipSpace(object, skipSpace(object, nameEnd)+1)
			end := valueEnd(object, start)
			if end <= start || !yield(unquoted(object[at:nameEnd]), object[start:end]) {
				return
			}
			at = skipSpace(object, end) + 1
		}
	}
}

// member returns the value of a member of a valid JSON object, the last one of that name, or nil.
func member(object []byte, name string) []byte {
	var found []byte
	for key, value := range members(object) {
		if string(key) == name {
			found = value
		}
	}
	return found
}

// unquoted returns what a JSON string says.
func unquoted(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 && len(text) > 1 {
		return text[1 : len(text)-1]
	}
	var plain string
	if json.Unmarshal(text, &plain) != nil {
		return nil
	}
	return []byte(plain)
}

func skipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n') {
		at++
	}
	return at
}

// stringEnd returns the place after the string that begins at at.
func stringEnd(data []byte, at int) int {
	for at++; at < len(data); at++ {
		switch data[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(data)
}

// valueEnd returns the place after the value that begins at at.
func valueEnd(data []byte, at int) int {
	for depth := 0; at < len(data); {
		switch data[at] {
		case '"':
			at = stringEnd(data, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			at++
			continue
		default:
			at = scalarEnd(data, at)
		}
		if depth <= 0 {
			return at
		}
	}
	return len(data)
}

func scalarEnd(data []byte, at int) int {
	for ; at < len(data); at++ {
		switch data[at] {
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\r', '\n':
			return at
		}
	}
	return at
}
