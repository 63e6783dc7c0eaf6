// Package store keeps records and everything that happened to them.
//
// An object is a record: key, kind, JSON and the number of the batch that
// wrote it. All writing goes through [DB.Apply]: one transaction checks what
// each write expects, writes records, history, index entries and audit events,
// and takes the next number of one gap-free sequence. History answers "as of";
// the sequence feeds watchers; an event can never be missing for a change, nor
// a change for an event.
//
// The package knows no kind and decides nothing: which keys there are and what
// the JSON means is for the rooms of control. Engines live in memory, sqlite
// and postgres; storetest is the contract they all pass.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"gatehouse"
	"gatehouse/report"
)

// A Seq numbers batches from 1, without a gap, in the order they became
// visible, over all processes that share a database. Zero is before the first.
type Seq int64

// A Record is one object as it stands, or stood, at some Seq.
type Record struct {
	Key   string
	Kind  string
	Value []byte // JSON; nil in a Change that deleted the record
	Rev   Seq    // the batch that wrote this state
	Time  time.Time
}

// What a [Write] may expect of the record it replaces.
const (
	Any    Seq = -1 // whatever is there
	Absent Seq = 0  // that there is none
)

// A Write puts one record, or deletes it when Value is nil. If the record is
// not at the revision that Expect names, the whole batch is refused.
type Write struct {
	Key    string
	Kind   string
	Value  []byte
	Expect Seq
	// Index are the entries that lists filter and sort by; they replace the
	// record's earlier ones.
	Index map[string]string
}

// A Batch is what one transaction writes. Events are chained in order: the
// store sets Number, Previous and Hash of each ([gatehouse.Event.Seal]).
type Batch struct {
	Writes []Write
	Events []*gatehouse.Event
	// Usage is taken in the same transaction, once for each Spool and Number.
	Usage *Usage
	// Jobs are made, or changed where they are at the Rev they name; otherwise
	// the whole batch is refused.
	Jobs []Job
}

// A Query selects records of one kind. The zero value of a field asks nothing.
type Query struct {
	Kind   string
	Prefix string            // of the key
	Where  map[string]string // index entries that must be equal
	Sort   string            // an index name; records without that entry come first. "" sorts by key
	Below  string            // with Sort: only records that have the entry, and one that sorts before this
	Desc   bool
	After  string // a cursor from an earlier Page, opaque
	Limit  int    // 0: all
	AsOf   Seq    // 0: now; else the state after that batch
}

// A Page is one answer to a Query.
type Page struct {
	Records []Record
	// Sorts are the records' values of the index that was sorted by, for
	// [Query.NextAfter] a record within the page; nil when sorted by key.
	Sorts []string
	Next  string // cursor for the next page; "" at the end
	Seq   Seq    // the state all records are from
}

// A Change is one write as watchers see it.
type Change struct {
	Seq Seq
	Record
	Deleted bool
}

// A Head is where the store stands.
type Head struct {
	Seq   Seq
	Event int64  // number of the last audit event
	Hash  string // and its hash
}

// An EventQuery selects audit events. Zero fields ask nothing; text fields
// match exactly but for Text, which is looked for anywhere in the event's JSON
// without regard to case, and Action and Object, where a "*" at the end
// matches any rest.
type EventQuery struct {
	Actor, Action, Object, Team, Outcome, Text string
	From, To                                   time.Time // from inclusive, to exclusive
	After                                      int64     // numbers above this (below it with Desc, when not zero)
	Desc                                       bool
	Limit                                      int
	// Strict ends with a *[Damaged] at an event that is kept in any other way
	// than it was written, also where that does not change what it says.
	Strict bool
}

// Damaged is the error for an event that somebody changed behind the store's
// back, or the disk.
type Damaged struct {
	Number int64
	Detail string
}

// Error names the event.
func (d *Damaged) Error() string { return fmt.Sprintf("event %d: %s", d.Number, d.Detail) }

// Usage is one batch of counts of one gateway instance.
type Usage struct {
	Spool  string
	Number int64
	Rows   []UsageRow
}

// A UsageRow adds to the roll-up with the same Hour and dimensions.
type UsageRow struct {
	Hour                                       time.Time // UTC, start of the hour
	Environment, Gateway                       string
	API, Operation, Application, Product, Plan string
	Class                                      int
	Denied                                     string
	Revision                                   string // of the API version, shortened; "" when it was not told
	Requests, BytesIn, BytesOut, BackendMicros int64
	Latency                                    []int64 // by report.LatencyBounds
	// Bins tells the same more finely, of what was counted by programs that know
	// them (see report.Distribution).
	Bins report.Bins
}

// A UsageQuery sums rows over [From, To), grouped by the dimensions named in
// By: "hour", "environment", "gateway", "api", "operation", "application",
// "product", "plan", "class", "denied", "revision". Where filters by the same names.
// Bins are summed where they are asked for: they are most of the work.
type UsageQuery struct {
	From, To time.Time
	By       []string
	Where    map[string]string
	Bins     bool
	// Most bounds the rows of the answer; a question with more is refused. 0: all.
	Most int
}

// ErrTaken is what Apply returns for a Usage whose number was taken before,
// with nothing written; the batch has been counted.
var ErrTaken = errors.New("usage batch was taken before")

// A Turner is a DB whose processes may decide one after the other. Nothing
// rests on it: compare-and-swap alone decides. It keeps who takes long to
// decide from losing to whoever is quicker, again and again.
type Turner interface {
	// Turn waits for the turn of that name, and gives it back with done. Who
	// cannot have it in a while, or at all, goes on without.
	Turn(ctx context.Context, name string) (done func())
}

// Turn waits for a turn where the DB has them.
func Turn(ctx context.Context, db DB, name string) (done func()) {
	if t, ok := db.(Turner); ok {
		return t.Turn(ctx, name)
	}
	return func() {}
}

// A Roll is a DB whose processes can tell of each other which have ended.
// Nothing rests on it either: a process that is only cut off may be taken for
// one that ended, and one that ended for one that is only slow.
type Roll interface {
	// Process names this process.
	Process() string
	// Gone reports whether the process of that name is known to have ended.
	Gone(ctx context.Context, process string) bool
}

// Process names this process where the DB keeps a roll, "" elsewhere.
func Process(db DB) string {
	if r, ok := db.(Roll); ok {
		return r.Process()
	}
	return ""
}

// Gone asks the roll where the DB keeps one.
func Gone(ctx context.Context, db DB, process string) bool {
	r, ok := db.(Roll)
	return ok && r.Gone(ctx, process)
}

// A DB is safe for use by several goroutines, and several processes may share
// one where the engine says so. Every error is or wraps a *gatehouse.Error;
// what the database cannot do now (disk full, locked, stopped) is of kind
// gatehouse.Unavailable, and the next call may succeed.
type DB interface {
	// Get returns the record at key, or an error of kind NotFound.
	Get(ctx context.Context, key string) (Record, error)
	// GetAsOf returns the record as it stood after batch at.
	GetAsOf(ctx context.Context, key string, at Seq) (Record, error)
	// GetMany returns those of the keys that exist, by key, all from one state.
	GetMany(ctx context.Context, keys []string) (map[string]Record, error)
	// List answers one page, all from one state.
	List(ctx context.Context, q Query) (Page, error)
	// All yields every record of a kind, in any order, all from one state: the
	// quickest way to read a million of them. An error comes once, last. It has a
	// connection of the database as long as it yields.
	All(ctx context.Context, kind string) iter.Seq2[Record, error]
	// History yields the states of one record, oldest first, deletions included.
	History(ctx context.Context, key string) iter.Seq2[Change, error]
	// Apply commits the batch whole or not at all and returns its number. A
	// write whose record moved is an error of kind Conflict naming the key.
	// When Apply returns nil the batch survives power loss.
	Apply(ctx context.Context, b Batch) (Seq, error)
	// Changes returns the changes of whole batches after seq, in order, about
	// limit of them but never part of a batch, and the last batch looked at.
	// No batch numbered up to that one can appear later.
	Changes(ctx context.Context, after Seq, limit int) ([]Change, Seq, error)
	// Wait blocks until the head is past seq or ctx ends. It may wake early.
	Wait(ctx context.Context, seq Seq) error
	// Head tells where the store stands.
	Head(ctx context.Context) (Head, error)
	// AsOf is the last batch committed at or before t.
	AsOf(ctx context.Context, t time.Time) (Seq, error)
	// Events yields audit events in number order. An error comes once, last.
	Events(ctx context.Context, q EventQuery) iter.Seq2[*gatehouse.Event, error]
	// Usage sums roll-ups; the rows have only the dimensions asked for.
	Usage(ctx context.Context, q UsageQuery) ([]UsageRow, error)
	// Jobs lists jobs.
	Jobs(ctx context.Context, q JobQuery) ([]Job, error)
	// JobQueues lists the queues in which jobs wait, by name.
	JobQueues(ctx context.Context) ([]JobQueue, error)
	// SetJobs writes each job that is at the Rev it names, which is not 0, and
	// returns those written, with their new Rev. It moves no number.
	SetJobs(ctx context.Context, jobs ...Job) ([]Job, error)
	// DropJobs deletes jobs that rest and tells how many.
	DropJobs(ctx context.Context, d JobDrop) (int64, error)
	Close() error
}
