package gatehouse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/jsonx"
)

// ErrorKind says what the one who caused an error can do about it. One place,
// the management server, turns it into an HTTP status.
type ErrorKind string

// The kinds of error.
const (
	Invalid         ErrorKind = "invalid"         // mend the input (400, 422)
	Unauthenticated ErrorKind = "unauthenticated" // say who you are (401)
	Denied          ErrorKind = "denied"          // ask for a permission (403)
	NotFound        ErrorKind = "not-found"       // look elsewhere (404)
	Conflict        ErrorKind = "conflict"        // read again, then decide (409)
	Lost            ErrorKind = "lost"            // the If-Match race is lost (412)
	TooLarge        ErrorKind = "too-large"       // send less (413)
	Unavailable     ErrorKind = "unavailable"     // try again later (503)
	Full            ErrorKind = "full"            // make room; it goes on by itself (503)
	Internal        ErrorKind = "internal"        // ours to mend (500)
)

// An Error is a sentence, from what was tried to what stood in the way, with a
// kind and, for input, the faults one by one.
type Error struct {
	Kind   ErrorKind
	Text   string
	Err    error // cause, if any; its text is part of Text
	Faults []Fault
}

// A Fault is one thing wrong with input, and where.
type Fault struct {
	// File, Line and Column say where in a file, counted from 1; zero when
	// the input was no file.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Object is the document, "API payments/orders".
	Object string `json:"object,omitempty"`
	// Pointer names the field in the document (RFC 6901).
	Pointer string `json:"pointer,omitempty"`
	// Detail says what is wrong and what would do, with the value as written.
	Detail string `json:"detail"`
}

// String reads "file:line:column: object: field: detail".
func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
		}
		b.WriteString(": ")
	}
	if f.Object != "" {
		b.WriteString(f.Object + ": ")
	}
	if f.Pointer != "" {
		b.WriteString(Field(f.Pointer) + ": ")
	}
	b.WriteString(f.Detail)
	return b.String()
}

// Field writes a JSON Pointer as people name fields: "spec.versions[0].path".
func Field(pointer string) string {
	var b strings.Builder
	for _, p := range jsonx.PointerParts(pointer) {
		_, err := strconv.ParseUint(p, 10, 32)
		switch {
		case err == nil:
			b.WriteString("[" + p + "]")
		case p == "" || strings.ContainsAny(p, ". []"):
			b.WriteString("[" + strconv.Quote(p) + "]")
		case b.Len() > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}

// E makes an error. A %w in the format keeps its cause; if that cause has
// faults, they stay.
func E(kind ErrorKind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{Kind: kind, Text: err.Error(), Err: errors.Unwrap(err)}
	if cause, ok := errors.AsType[*Error](e.Err); ok {
		e.Faults = cause.Faults
	}
	return e
}

// Error returns the sentence; faults follow on lines of their own.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first *Error in err's chain, Internal for others,
// and "" for nil.
func KindOf(err error) ErrorKind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind ErrorKind) bool { return err != nil && KindOf(err) == kind }

// InvalidFaults makes one error of several faults; nil when there are none.
func InvalidFaults(faults []Fault) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return &Error{Kind: Invalid, Text: faults[0].String(), Faults: faults}
	}
	return &Error{Kind: Invalid, Text: fmt.Sprintf("%s (and %d more)", faults[0], len(faults)-1), Faults: faults}
}
