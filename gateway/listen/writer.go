package listen

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/listen/strict"
	"gatehouse/policy"
)

// A writer takes a call's answer to net/http.
type writer struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	conn    *conn
	body    *body // of the request, nil for none
	control *http.ResponseController
	last    bool // the connection ends with this answer
	aborted bool
}

type writerPool struct{ pool sync.Pool }

var writers = writerPool{sync.Pool{New: func() any { return new(writer) }}}

func (p *writerPool) get() *writer { return p.pool.Get().(*writer) }

func (p *writerPool) put(w *writer) {
	*w = writer{}
	p.pool.Put(w)
}

func (w *writer) begin(s *Server, rw http.ResponseWriter, r *http.Request, c *conn) {
	*w = writer{server: s, w: rw, r: r, conn: c}
}

// Interim implements pipeline.Writer.
func (w *writer) Interim(status int, h policy.Header) {
	if status <= http.StatusSwitchingProtocols || status > 199 || !w.r.ProtoAtLeast(1, 1) {
		return
	}
	to := w.w.Header()
	for i := range h {
		to.Add(h[i].Name, h[i].Value)
	}
	w.w.WriteHeader(status)
	clear(to) // the answer has fields of its own
}

// Head implements pipeline.Writer.
func (w *writer) Head(status int, h policy.Header, length int64) {
	to := w.w.Header()
	values := make([]string, len(h)+1)
	for i := range h {
		f := &h[i]
		if head.OfConnection(f.Name) {
			continue
		}
		name := http.CanonicalHeaderKey(f.Name)
		if old := to[name]; old != nil {
			to[name] = append(old, f.Value)
			continue
		}
		values[i] = f.Value
		to[name] = values[i : i+1 : i+1]
	}
	if to["Content-Type"] == nil {
		to["Content-Type"] = nil // no guessing
	}
	if length >= 0 && status >= 200 && status != http.StatusNoContent {
		values[len(h)] = strconv.FormatInt(length, 10)
		to["Content-Length"] = values[len(h):]
	}
	if w.early() {
		// net/http would first read the body to its end, which the caller may
		// not send before it has the answer.
		w.last = true
		if w.conn != nil {
			w.conn.early.Store(true)
		}
		http.NewResponseController(w.w).EnableFullDuplex()
	}
	if w.r.ProtoMajor == 1 && (w.last || w.server.closing()) {
		to["Connection"] = []string{"close"}
	}
	w.w.WriteHeader(status)
}

// early tells whether the answer begins while the body is still being sent on.
func (w *writer) early() bool {
	b := w.body
	return w.r.ProtoMajor == 1 && b != nil && b.used.Load() && !b.done.Load()
}

// Write implements pipeline.Writer.
func (w *writer) Write(p []byte) (int, error) { return w.w.Write(p) }

// Flush implements pipeline.Writer.
func (w *writer) Flush() error {
	if w.control == nil {
		w.control = http.NewResponseController(w.w)
	}
	return w.control.Flush()
}

// Trailer implements pipeline.Writer.
func (w *writer) Trailer(h policy.Header) {
	to := w.w.Header()
	for _, f := range h {
		if !head.OfConnection(f.Name) {
			name := http.TrailerPrefix + http.CanonicalHeaderKey(f.Name)
			to[name] = append(to[name], f.Value)
		}
	}
}

// Abort implements pipeline.Writer; the handler does it when the call is over.
func (w *writer) Abort() { w.aborted = true }

// Switch implements pipeline.Writer.
func (w *writer) Switch(h policy.Header) (io.ReadWriteCloser, error) {
	if w.r.ProtoMajor != 1 || w.conn == nil {
		return nil, errors.New("only HTTP/1.1 switches protocols")
	}
	nc, rw, err := http.NewResponseController(w.w).Hijack()
	if err != nil {
		return nil, err
	}
	w.server.tunnels.Add(1)
	t := &tunnel{Conn: nc, from: rw.Reader, server: w.server}
	nc.SetDeadline(time.Time{})
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n")
	for _, f := range h {
		if head.OfConnection(f.Name) && !policy.EqualName(f.Name, "Upgrade") {
			continue
		}
		if !strict.Token(f.Name) || !strict.Value(f.Value) {
			continue
		}
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	if _, err := nc.Write(append(b, "\r\n"...)); err != nil {
		t.Close()
		return t, nil // the caller has left; the tunnel ends at its first read
	}
	return t, nil
}

// A tunnel is a connection that has left HTTP.
type tunnel struct {
	net.Conn
	from   *bufio.Reader // may hold what came with the request
	server *Server
	once   sync.Once
}

// Read implements io.Reader.
func (t *tunnel) Read(p []byte) (int, error) {
	if t.from.Buffered() > 0 {
		return t.from.Read(p)
	}
	return t.Conn.Read(p)
}

// Close implements io.Closer.
func (t *tunnel) Close() error {
	err := t.Conn.Close()
	t.once.Do(t.server.tunnels.Done)
	return err
}
