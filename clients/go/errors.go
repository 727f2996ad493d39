package llmsidecar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Error is what calls and streams fail with: what the sidecar replied, or what the client found.
//
// Switch on Type, and treat a type that you do not know by its Category and Retryable.
type Error struct {
	Type       ErrorType
	Category   Category
	Retryable  bool            // whether the same request may succeed later
	RetryAfter time.Duration   // when to come back; 0 where that is not known
	Message    string          // one sentence for people
	Code       int64           // the code of JSON-RPC
	Data       ErrorData       // all that the protocol says of this error
	RawData    json.RawMessage // the same as it came; nil for errors of the client's own
	cause      error
}

// Error says what went wrong, and the type.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s)", e.Message, e.Type)
}

// Unwrap returns the error that led to this one, such as [context.Canceled], or nil.
func (e *Error) Unwrap() error {
	return e.cause
}

// ownErrors are the properties of the errors that the client finds itself.
var ownErrors = map[ErrorType]Error{
	ErrorTypeSidecarNotFound:            {Category: CategoryConfig, Code: -32098},
	ErrorTypeConnectionClosed:           {Category: CategoryProtocol, Code: -32099, Retryable: true},
	ErrorTypeInvalidParams:              {Category: CategoryProtocol, Code: -32602},
	ErrorTypeInvalidMessage:             {Category: CategoryProtocol, Code: -32600},
	ErrorTypeRequestCancelled:           {Category: CategoryProtocol, Code: -32800},
	ErrorTypeClientStalled:              {Category: CategoryProtocol, Code: -32006, Retryable: true},
	ErrorTypeUnsupportedProtocolVersion: {Category: CategoryProtocol, Code: -32004},
}

// newError returns an error of the client's own.
func newError(kind ErrorType, cause error, format string, arguments ...any) *Error {
	found := ownErrors[kind]
	found.Type, found.Message, found.cause = kind, fmt.Sprintf(format, arguments...), cause
	found.Data = ErrorData{Type: kind, Category: found.Category, Retryable: found.Retryable}
	return &found
}

func connectionClosed(why string) *Error {
	return newError(ErrorTypeConnectionClosed, nil, "The sidecar is not there: %s.", why)
}

func invalidMessage(cause error, what string) *Error {
	return newError(ErrorTypeInvalidMessage, cause, "%s is not what the protocol says: %v.", what, cause)
}

func invalidParams(cause error) *Error {
	return newError(ErrorTypeInvalidParams, cause, "The params cannot be sent: %v.", cause)
}

func cancelled(cause error) *Error {
	return newError(ErrorTypeRequestCancelled, cause, "The request was cancelled.")
}

// repliedError returns the error in a reply; a reply that is none of the protocol is `invalid_message`.
func repliedError(raw []byte) *Error {
	var object ErrorObject
	if err := json.Unmarshal(raw, &object); err != nil {
		return invalidMessage(err, "An error")
	}
	data := object.Data
	replied := &Error{
		Type:      data.Type,
		Category:  data.Category,
		Retryable: data.Retryable,
		Message:   object.Message,
		Code:      object.Code,
		Data:      data,
		RawData:   bytes.Clone(member(raw, "data")),
	}
	if data.RetryAfterMs != nil {
		replied.RetryAfter = time.Duration(*data.RetryAfterMs) * time.Millisecond
	}
	return replied
}

// asError returns an error of this package as what it is.
func asError(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return invalidParams(err)
}
