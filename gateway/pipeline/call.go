package pipeline

import (
	"io"
	"sync"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/head"
	"gatehouse/policy"
)

// A Writer takes the answer of one call. Its methods are called by one
// goroutine at a time, in the order Interim, Head, Write and Flush as often as need be, Trailer;
// or Switch; or Abort at any time.
type Writer interface {
	// Interim sends an answer before the final one (RFC 9110 §15.2), before Head;
	// it may come from another goroutine while the call waits for the backend.
	Interim(status int, h policy.Header)
	// Head begins the answer. length is that of the content, -1 when unknown;
	// h holds no framing and is not kept.
	Head(status int, h policy.Header, length int64)
	Write(p []byte) (int, error)
	Flush() error
	// Trailer ends the answer with fields after its content.
	Trailer(h policy.Header)
	// Switch answers 101 and hands over the connection; protocols that cannot
	// return an error before anything is written.
	Switch(h policy.Header) (io.ReadWriteCloser, error)
	// Abort cuts the answer so that the caller cannot take it for whole.
	Abort()
}

// A Call is a request and all that the gateway keeps while it is in work. An
// engine gets one from [NewCall], fills in what the exported fields say, serves it
// and frees it.
type Call struct {
	// Exchange's Context, Method, Proto, Query, Header and Now are set by the engine, the
	// header as it came; the rest by the pipeline.
	policy.Exchange
	Peer *head.Peer
	// Target is the path as it came, Authority the host as it came.
	Target    string
	Authority string
	// Source is the request's body, nil for none; Length as announced, -1 when
	// unknown. It may have a method Fault() *policy.Denial that says what is wrong
	// with the body as it comes, Abort() that cuts a pending Read short, and
	// Trailer() policy.Header for what stood behind it once it has been read.
	Source io.Reader
	Length int64
	// Announced names the fields that the request says will stand behind its body.
	Announced []string
	// Fault is set when the engine cannot make a request of what it read: the
	// call is answered so and nothing else of it is looked at.
	Fault  *policy.Denial
	Writer Writer

	lane int
	id   string
	// semicolon tells that Path has one that the rules do not let through
	// everywhere.
	semicolon bool
	table     *Table
	api       *API
	op        *operation
	caller    credential.Subscription
	body      body
	entered   []policy.ResponseStep
	found     [4]credential.Subscription

	started bool // the answer's head is out
	aborted bool
	status  int
	denied  string
	target  string // of the backend, when it failed
	reason  string // why it failed
	out     int64
	backend time.Duration
}

var calls = sync.Pool{New: func() any {
	return &Call{
		lane:     -1,
		Exchange: policy.Exchange{Header: make(policy.Header, 0, 32), Params: make([]policy.Param, 0, 8), Response: policy.Response{Header: make(policy.Header, 0, 32)}},
		entered:  make([]policy.ResponseStep, 0, 8),
	}
}}

// NewCall returns an empty call.
func NewCall() *Call { return calls.Get().(*Call) }

// Free gives the call back. Nothing of it may be used afterwards.
func (c *Call) Free() {
	if c.body.pending() {
		return // someone may still read it: leave it to the collector
	}
	clear(c.Header)
	clear(c.Response.Header)
	clear(c.Params)
	clear(c.entered)
	*c = Call{
		lane:     c.lane,
		Exchange: policy.Exchange{Header: keep(c.Header), Params: c.Params[:0], Reply: keep(c.Reply), Response: policy.Response{Header: keep(c.Response.Header)}},
		entered:  c.entered[:0],
	}
	calls.Put(c)
}

// keep returns h's room for the next call, unless it has grown out of measure.
func keep(h policy.Header) policy.Header {
	if cap(h) > 256 {
		return nil
	}
	return h[:0]
}
