package upstream

import (
	"context"
	"io"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
)

// An Answer is a backend's answer whose head has arrived; status and fields
// are in the exchange. Framing fields (Content-Length, Transfer-Encoding,
// Trailer) are not among them: Length says what the writer needs.
type Answer struct {
	// Body streams the content. It must be closed; reading it to the end
	// first lets the connection serve again. An error of Read is a *Failure:
	// the answer is torn and the caller's connection must be cut, so that
	// no one takes the part for the whole. It implements io.WriterTo.
	Body io.ReadCloser
	// Length of the content, -1 when unknown. In answers to HEAD and in 304
	// it is what the backend stated, while Body is empty. In 204 it is 0.
	Length int64
	// Trailer returns the trailer section once Body has ended; never nil.
	Trailer func() policy.Header
	// Upgraded is set when the status is 101: what the protocol switched to.
	// Close it; Body is empty then.
	Upgraded io.ReadWriteCloser
	// Target is the URL of the target that answered.
	Target string

	body body
}

func noTrailer() policy.Header { return nil }

// A body reads an HTTP/1.1 answer's content.
type body struct {
	ctx    context.Context
	resp   *h1.Response
	target string
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.resp.Read(p)
	return n, b.judge(err)
}

func (b *body) WriteTo(w io.Writer) (int64, error) {
	n, err := b.resp.WriteTo(w)
	return n, b.judge(err)
}

func (b *body) Close() error { return b.resp.Close() }

// judge turns an error of the exchange into a failure; others are the writer's.
func (b *body) judge(err error) error {
	if e, ok := err.(*h1.Error); ok {
		f := exchangeFailure(b.ctx, e)
		f.Target = b.target
		return f
	}
	return err
}
