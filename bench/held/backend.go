package held

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
)

// backend answers small calls, gives back what it is sent, and has a large
// answer. It counts what of that it got rid of.
type backend struct {
	server *httptest.Server
	length atomic.Int64 // of the large answer
	gave   atomic.Int64 // of it so far
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/echo"):
		w.Header().Set("Content-Type", bodyKind)
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		}
		_ = http.NewResponseController(w).EnableFullDuplex() // else it reads all first
		_, _ = io.Copy(w, r.Body)                            // who went away does not get it
	case strings.HasSuffix(r.URL.Path, "/large"):
		w.Header().Set("Content-Type", bodyKind)
		w.Header().Set("Content-Length", strconv.FormatInt(b.length.Load(), 10))
		piece := make([]byte, 64<<10)
		for b.gave.Load() < b.length.Load() {
			n, err := w.Write(piece[:min(int64(len(piece)), b.length.Load()-b.gave.Load())])
			b.gave.Add(int64(n))
			if err != nil {
				return
			}
		}
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"5f3c9a","state":"placed"}`+"\n")
	}
}
