package telemetry

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Line is one request in the access log. It has no field for a query, a
// header or a body, so that nothing secret can slip in.
type Line struct {
	Time         time.Time
	ID           string // the request's
	Caller       netip.Addr
	Proto        string
	Method       string
	Host         string
	Path         string // normalized, or empty when it was refused
	API          string
	Operation    string
	Subscription string
	Status       int
	Denied       string
	Target       string // of the backend, when it failed
	Reason       string // why the backend failed
	Aborted      bool   // the answer broke off
	BytesIn      int64
	BytesOut     int64
	Duration     time.Duration
	Backend      time.Duration
}

// maxPending bounds the bytes of lines that wait to be written.
const maxPending = 1 << 20

// A Log writes lines as JSON, one a line, through one goroutine. When the
// writer falls behind lines are dropped and counted; a request never waits. A
// nil Log writes nothing.
type Log struct {
	w       io.Writer
	share   float64
	dropped atomic.Int64
	wake    chan struct{}
	done    chan struct{}

	mu      sync.Mutex // guards pending and closed
	pending []byte
	closed  bool
}

// NewLog starts a log that writes a share of all lines, above 0 and up to 1,
// to w. Denials and server errors are always written. Close ends it.
func NewLog(w io.Writer, share float64) *Log {
	l := &Log{w: w, share: share, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

// Add takes a line in, if it is among the share to write.
func (l *Log) Add(line *Line) {
	if l == nil || (l.share < 1 && line.Status < 400 && rand.Float64() >= l.share) {
		return
	}
	var room [1024]byte
	text := line.append(room[:0])
	l.mu.Lock()
	if l.closed || len(l.pending)+len(text) > maxPending {
		l.mu.Unlock()
		l.dropped.Add(1)
		return
	}
	l.pending = append(l.pending, text...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	l.mu.Unlock()
}

// Dropped is how many lines were dropped so far.
func (l *Log) Dropped() int64 {
	if l == nil {
		return 0
	}
	return l.dropped.Load()
}

// Close writes what is pending and ends the log.
func (l *Log) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.wake)
	}
	l.mu.Unlock()
	<-l.done
}

func (l *Log) run() {
	defer close(l.done)
	var out []byte
	for open := true; open; {
		_, open = <-l.wake
		l.mu.Lock()
		out, l.pending = l.pending, out[:0]
		l.mu.Unlock()
		if _, err := l.w.Write(out); err != nil && len(out) > 0 {
			l.dropped.Add(int64(lines(out)))
		}
	}
}

func lines(b []byte) (n int) {
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	return n
}

func (l *Line) append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = l.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, '"')
	b = text(b, "id", l.ID)
	if l.Caller.IsValid() {
		b = append(b, `,"caller":"`...)
		b = append(l.Caller.AppendTo(b), '"')
	}
	b = text(b, "proto", l.Proto)
	b = text(b, "method", l.Method)
	b = text(b, "host", l.Host)
	b = text(b, "path", l.Path)
	b = text(b, "api", l.API)
	b = text(b, "operation", l.Operation)
	b = text(b, "subscription", l.Subscription)
	b = number(b, "status", int64(l.Status))
	b = text(b, "denied", l.Denied)
	b = text(b, "target", l.Target)
	b = text(b, "reason", l.Reason)
	if l.Aborted {
		b = append(b, `,"aborted":true`...)
	}
	b = number(b, "bytesIn", l.BytesIn)
	b = number(b, "bytesOut", l.BytesOut)
	b = number(b, "micros", l.Duration.Microseconds())
	b = number(b, "backendMicros", l.Backend.Microseconds())
	return append(b, '}', '\n')
}

func number(b []byte, name string, v int64) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, v, 10)
}

// text appends a field unless it is empty. Whatever a caller sent, the line
// stays one line of JSON: quotes, controls and all that is not ASCII is escaped.
func text(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	const hex = "0123456789abcdef"
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c >= 0x7f:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
