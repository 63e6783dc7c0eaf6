// Package link carries what gateways know and say between them and the control
// plane (DESIGN 7.3, 7.4): plain HTTPS, the gateway dials out.
//
// The server half, [NewServer], turns requests into calls of a [Source]. The
// client half is a [Client] that speaks the protocol, an [Identity] that proves
// the instance, a [Disk] that keeps the last two good configurations, a [Spool]
// that keeps counts until they are taken, and a [Runner] that drives them all.
//
// Protocol 1: every message is a POST below [Prefix]; bodies are JSON, and
// compressed with zstd when that pays; chunks go as frames. Peers prove
// themselves by TLS certificates of the installation's own authority; only
// joining, which needs a token, goes without. A manifest request waits on the
// server until there is news; beside manifests, news are strikes: keys and
// subscriptions to refuse at once, for those who say that they take them. All
// that a peer sends is bounded before it is read, and what a gateway takes is
// proven by the installation's signature, so that nothing between the two has to
// be trusted.
//
// The package knows snapshot and report and neither wing: a gateway's table
// comes in as a function, the control plane as a Source.
package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"gatehouse/report"
	"gatehouse/snapshot"
)

// Protocol is the version spoken here. 1 is the first.
const Protocol = 1

// Prefix begins every path of the protocol.
const Prefix = "/link/v1/"

// ServerName is the name in the control plane's certificate for the link. It
// is no public name: the certificate is trusted by the installation's own
// authority alone.
const ServerName = "link.gatehouse.internal"

// instancesField of answers to manifest and lease requests is how many instances
// the environment has: an instance that hears of the control plane no more keeps
// to its part of common budgets.
const (
	instancesField = "Gatehouse-Instances"
	maxInstances   = 100_000
)

// A Counter is a [Source] that knows how many instances the environment of a peer
// has, itself included.
type Counter interface {
	InstancesWith(p Peer) int
}

// Bounds of the protocol.
const (
	MaxWait      = 30 * time.Second // a manifest request waits this long at most
	MaxChunk     = 32 << 20         // bytes of one chunk
	MaxManifest  = 64 << 20         // bytes of one delta, unpacked
	MaxRequest   = 16 << 20         // bytes of any other message, unpacked
	MaxHashes    = 512              // chunks asked for at once
	MaxAnswer    = 32 << 20         // bytes of chunks after which an answer ends
	MaxInline    = 64 << 10         // bytes of chunks sent along with a delta
	MaxLeases    = 1000             // budgets asked for at once
	MaxBatchRows = 5000             // counts in a batch
)

// A Peer is who speaks, as its certificate proves.
type Peer struct {
	Gateway     string
	Instance    string
	Certificate string // serial number, in hexadecimal
	Address     string // host that the connection comes from
}

// A Position is the manifest an instance has; the zero value is none.
type Position struct {
	Serial int64         `json:"serial,omitempty"`
	Digest snapshot.Hash `json:"digest,omitzero"`
	// Strikes is set by instances that take them; Struck is the sum of those that
	// are in force, zero for none.
	Strikes bool          `json:"strikes,omitempty"`
	Struck  snapshot.Hash `json:"struck,omitzero"`
}

// A Join asks for the first certificate of an instance.
type Join struct {
	Token    string `json:"token"`
	Instance string `json:"instance"`
	Request  []byte `json:"request"` // certificate request, PKCS #10 in DER
	Protocol int    `json:"protocol"`
	Program  string `json:"program,omitempty"`
}

// A Renewal asks for the next certificate.
type Renewal struct {
	Request []byte `json:"request"`
}

// A Welcome answers both.
type Welcome struct {
	Installation string            `json:"installation"`
	Gateway      string            `json:"gateway"`
	Environment  string            `json:"environment"`
	Instance     string            `json:"instance"`
	Certificate  []byte            `json:"certificate"` // DER
	Authority    []byte            `json:"authority"`   // DER of the certificate that signed it
	Keys         map[string][]byte `json:"keys"`        // Ed25519 keys that sign manifests, by id
}

// A Poll asks for news.
type Poll struct {
	Have   Position       `json:"have"`
	Wait   int            `json:"wait"` // seconds
	Health *report.Health `json:"health,omitempty"`
}

// A Lease asks for a share of a budget that all instances of an environment
// have in common.
type Lease struct {
	Key string `json:"key"`
	// Limit requests in Per nanoseconds, or in the Calendar period.
	Limit    int64         `json:"limit"`
	Per      time.Duration `json:"per,omitempty"`
	Calendar string        `json:"calendar,omitempty"`
	Burst    int64         `json:"burst,omitempty"`
	// Used since the last time, to be counted whether or not it was leased.
	Used int64 `json:"used"`
	// Had is the Tokens of the grant before this: what was not used of it is
	// given back. A process that has none, because it is new, says 0, and what
	// its name was granted before counts as used.
	Had int64 `json:"had,omitempty"`
	// Of is the Grant's, as long as every question about it was answered or
	// certainly not heard. What was not used of Had then goes back whichever
	// process of the control plane granted it, and so does Back. Zero: neither
	// does, unless the process that is asked granted it itself.
	Of int64 `json:"of,omitempty"`
	// Back was said to be used before, and was not.
	Back int64 `json:"back,omitempty"`
	// Want is what the instance expects to use until it asks again.
	Want int64 `json:"want"`
}

// A Grant answers a Lease: Tokens may be used until Until, Remaining is what
// the budget still has for all.
type Grant struct {
	Key       string        `json:"key"`
	Tokens    int64         `json:"tokens"`
	Remaining int64         `json:"remaining"`
	Until     time.Time     `json:"until"`
	Reset     time.Duration `json:"reset"`        // until the window ends
	Of        int64         `json:"of,omitempty"` // names the window
}

// A Source is the control plane as the link sees it. Errors that are an
// [*Error] go to the peer with their status; others as 500, without their text.
type Source interface {
	// Join lets an instance in that comes from a host.
	Join(ctx context.Context, host string, j *Join) (*Welcome, error)
	Renew(ctx context.Context, p Peer, r *Renewal) (*Welcome, error)
	// Admit refuses a peer whose certificate was revoked.
	Admit(ctx context.Context, p Peer) error
	// Manifest returns the delta from what the peer has, or nil if there is no
	// news before ctx ends.
	Manifest(ctx context.Context, p Peer, have Position, health *report.Health) (*snapshot.Delta, error)
	// Chunks yields those of the hashes that are in the gateway's manifest.
	Chunks(ctx context.Context, p Peer, hashes []snapshot.Hash, yield func(snapshot.Hash, []byte) error) error
	Ack(ctx context.Context, p Peer, a *report.Ack) error
	// Counts takes a batch once; taken before is no error.
	Counts(ctx context.Context, p Peer, b *report.Batch) error
	Leases(ctx context.Context, p Peer, asked []Lease) ([]Grant, error)
}

// An Error is an answer other than success.
type Error struct {
	Status int    `json:"status"` // HTTP status
	Text   string `json:"error"`
}

// Error reads as a sentence.
func (e *Error) Error() string { return e.Text }

// Errorf makes an error with a status.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

// Unheard tells that a question that ended in err was certainly not acted upon:
// nobody was reached, or the control plane said that it refuses.
func Unheard(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return true
	}
	status := StatusOf(err)
	return status/100 == 4 || status == http.StatusServiceUnavailable
}

// StatusOf is the status of an *Error in err's chain, 0 for others.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}
