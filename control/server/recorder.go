package server

import (
	"bytes"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// A recorder lets an answer pass and keeps a copy, up to a bound.
type recorder struct {
	inner
	body io.Reader
	out  bytes.Buffer
	kind string
	etag string
}

// inner has a name of its own because huma.Context has a method Context.
type inner = huma.Context

func (r *recorder) Unwrap() huma.Context  { return r.inner }
func (r *recorder) BodyReader() io.Reader { return r.body }

func (r *recorder) SetHeader(name, value string) {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Type":
		r.kind = value
	case "Etag":
		r.etag = value
	}
	r.inner.SetHeader(name, value)
}

func (r *recorder) BodyWriter() io.Writer {
	return io.MultiWriter(r.inner.BodyWriter(), bounded{&r.out})
}

// bounded keeps one byte more than is remembered, to know that it was too much.
type bounded struct{ *bytes.Buffer }

func (b bounded) Write(p []byte) (int, error) {
	if room := maxRemembered + 1 - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
