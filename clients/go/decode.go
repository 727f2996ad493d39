package llmsidecar

import (
	"encoding/json"
	"fmt"
	"slices"
)

// rule is what the protocol demands of a member of an object: that it is there, that it is not null, or, if it is
// the object's tag, that it has this value.
type rule struct {
	name     string
	tag      string
	required bool
	nullable bool
}

// check returns what is wrong with an object that is known to be valid JSON, as far as types do not show it.
func check(data []byte, rules []rule) error {
	if first(data) != '{' {
		return unexpected(data)
	}
	var seen uint64
	for name, value := range members(data) {
		at := slices.IndexFunc(rules, func(r rule) bool { return r.name == string(name) })
		if at < 0 {
			continue
		}
		seen |= 1 << at
		if err := rules[at].checkValue(value); err != nil {
			return err
		}
	}
	for at, rule := range rules {
		if (rule.required || rule.tag != "") && seen&(1<<at) == 0 {
			return fmt.Errorf("the member %q is missing", rule.name)
		}
	}
	return nil
}

func (r rule) checkValue(value []byte) error {
	if r.tag != "" && (first(value) != '"' || string(unquoted(value)) != r.tag) {
		return fmt.Errorf("the member %q is not %q", r.name, r.tag)
	}
	if !r.nullable && first(value) == 'n' {
		return fmt.Errorf("the member %q is null", r.name)
	}
	return nil
}

// first returns the character that a JSON text begins with.
func first(data []byte) byte {
	if at := skipSpace(data, 0); at < len(data) {
		return data[at]
	}
	return 0
}

func unexpected(data []byte) error {
	return fmt.Errorf("no type of the protocol begins with %q here", first(data))
}

// tagOf returns the text of the member that tells which arm of a union an object is.
func tagOf(data []byte, field string) (string, error) {
	if first(data) != '{' {
		return "", unexpected(data)
	}
	value := member(data, field)
	if first(value) != '"' {
		return "", fmt.Errorf("the member %q is no text", field)
	}
	return string(unquoted(value)), nil
}

func unknownTag(field, tag string) error {
	return fmt.Errorf("the protocol knows no %q with the value %q here", field, tag)
}

func decodeArm[T any, P interface {
	*T
	json.Unmarshaler
}](data []byte) (T, error) {
	var arm T
	err := P(&arm).UnmarshalJSON(data)
	return arm, err
}

// decodeOne decodes a member that is a union, unless it is left out or null.
func decodeOne[T any](raw json.RawMessage, decode func([]byte) (T, error), into *T) (err error) {
	if raw != nil && first(raw) != 'n' {
		*into, err = decode(raw)
	}
	return err
}

// decodeList decodes a member that is a list of a union; one that is left out stays nil.
func decodeList[T any](raw []json.RawMessage, decode func([]byte) (T, error), into *[]T) error {
	if raw == nil {
		return nil
	}
	list := make([]T, len(raw))
	for at, element := range raw {
		value, err := decode(element)
		if err != nil {
			return err
		}
		list[at] = value
	}
	*into = list
	return nil
}

func decodeArray[T any](data []byte, decode func([]byte) (T, error), into *[]T) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	return decodeList(raw, decode, into)
}

func decodeClosed[T ~string](data []byte, into *T, values ...T) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if !slices.Contains(values, T(text)) {
		return fmt.Errorf("the protocol does not have %q here", text)
	}
	*into = T(text)
	return nil
}

// fill makes a list that is nil an empty one, as a required list may not be null.
func fill[T any](list *[]T) {
	*list = nonNil(*list)
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// leaveOut makes a value that is the default the one that is left out.
func leaveOut[T comparable](value *T, usual T) {
	if *value == usual {
		*value = *new(T)
	}
}

func leaveOutPointed[T comparable](value **T, usual T) {
	if *value != nil && **value == usual {
		*value = nil
	}
}

func leaveOutEmpty(object *Object) {
	for range members(*object) {
		return
	}
	*object = nil
}
