package h1

import (
	"errors"
	"io"
	"os"
)

// Proxy error types of RFC 9209 §2.3 that an exchange can end with.
const (
	ConnectionTerminated   = "connection_terminated"
	ConnectionReadTimeout  = "connection_read_timeout"
	ConnectionWriteTimeout = "connection_write_timeout"
	ResponseTimeout        = "http_response_timeout"
	ResponseIncomplete     = "http_response_incomplete"
	ResponseHeadTooLarge   = "http_response_header_section_size"
	ResponseTrailerSize    = "http_response_trailer_section_size"
	ResponseCoding         = "http_response_transfer_coding"
	UpgradeFailed          = "http_upgrade_failed"
	ProtocolError          = "http_protocol_error"
	RequestError           = "http_request_error"   // the caller's body ended in an error
	InternalError          = "proxy_internal_error" // the request cannot be written
)

// An Error is how an exchange failed.
type Error struct {
	Type   string // one of the constants above
	Detail string // what was wrong, for logs; quotes nothing of the message
	Err    error  // beneath, if any

	// Unsent: nothing of the request can have reached the peer.
	Unsent bool
	// Silent: not one byte of an answer came back.
	Silent bool
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

func malformed(detail string) *Error { return &Error{Type: ProtocolError, Detail: detail} }

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// headError turns a failed read before the end of the head into an Error.
func headError(err error, silent bool) *Error {
	e := &Error{Err: err, Silent: silent}
	switch {
	case timedOut(err):
		e.Type, e.Detail = ResponseTimeout, "no answer in time"
	case silent:
		e.Type, e.Detail = ConnectionTerminated, "connection ended before an answer"
	default:
		e.Type, e.Detail = ResponseIncomplete, "connection ended inside the answer's head"
	}
	return e
}

// bodyError turns a failed read inside a body into an Error.
func bodyError(err error) *Error {
	if timedOut(err) {
		return &Error{Type: ConnectionReadTimeout, Detail: "body stood still", Err: err}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &Error{Type: ResponseIncomplete, Detail: "connection ended inside the body", Err: err}
}

func writeError(err error) *Error {
	if timedOut(err) {
		return &Error{Type: ConnectionWriteTimeout, Detail: "request was not taken in time", Err: err}
	}
	return &Error{Type: ConnectionTerminated, Detail: "connection ended while the request was sent", Err: err}
}
