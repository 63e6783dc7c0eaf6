package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// A backend answers every request with what it saw of it, as JSON, and counts.
type backend struct {
	addr     string
	server   *http.Server
	requests atomic.Int64
}

func newBackend(addr string) (*backend, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	b := &backend{addr: l.Addr().String()}
	b.server = &http.Server{Handler: b}
	go func() { _ = b.server.Serve(l) }() // ends with close
	return b, nil
}

func (b *backend) close() { b.server.Close() }

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.requests.Add(1)
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	saw := map[string]any{"method": r.Method, "path": r.URL.EscapedPath(), "query": r.URL.RawQuery, "host": r.Host, "body": string(body)}
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	saw["headers"] = headers
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Backend", b.addr)
	if err := json.NewEncoder(w).Encode(saw); err != nil {
		fmt.Println("answering:", err)
	}
}
