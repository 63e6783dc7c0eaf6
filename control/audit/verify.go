package audit

import (
	"context"
	"errors"
	"fmt"

	"gatehouse"
	"gatehouse/store"
)

// A Verification is what a look at a chain of events found.
type Verification struct {
	// Events that are in order, one after the other from First to Last.
	Events int64 `json:"events"`
	First  int64 `json:"first,omitempty"`
	Last   int64 `json:"last,omitempty"`
	// Previous is what the first event says of the one before it, which was
	// not seen; "" when First is 1.
	Previous string `json:"previous,omitempty"`
	// Hash of the last event: with its number it stands for the whole chain,
	// and a copy kept elsewhere shows whether a tail was cut off.
	Hash string `json:"hash,omitempty"`
	// Broken is the first fault; nil when there is none.
	Broken *Break `json:"broken,omitempty"`

	begin int64  // the number the first must have; 0: any
	tie   string // the hash it must name; "": any
}

// A Break is the first place where a chain does not hold.
type Break struct {
	// Number of the event that is wrong, or that should be there.
	Number int64 `json:"number"`
	// Line of a stream, from 1; 0 in a store.
	Line   int64  `json:"line,omitempty"`
	Detail string `json:"detail"`
}

// OK reports whether the chain holds.
func (v Verification) OK() bool { return v.Broken == nil }

// Error is the fault as a sentence, nil when there is none.
func (v Verification) Error() error {
	if v.Broken == nil {
		return nil
	}
	where := fmt.Sprintf("event %d", v.Broken.Number)
	if v.Broken.Line > 0 {
		where = fmt.Sprintf("line %d, event %d", v.Broken.Line, v.Broken.Number)
	}
	return gatehouse.E(gatehouse.Conflict, "verifying the trail: %s: %s", where, v.Broken.Detail)
}

// A Mark is one event of a chain as it was known before, in a digest or from
// an earlier look.
type Mark struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// step takes the next event, and reports whether the chain still holds.
func (v *Verification) step(e *gatehouse.Event, line int64) bool {
	sum, err := e.Sum()
	switch next := v.Last + 1; {
	case e.Number < 1:
		return v.fail(max(next, 1), line, "its number is %d; events count from 1", e.Number)
	case v.Events == 0 && e.Number == 1 && e.Previous != "":
		return v.fail(1, line, "it is the first, and yet names one before it")
	case v.Events == 0 && v.begin > 0 && e.Number != v.begin:
		return v.fail(v.begin, line, "it is missing: the trail begins with event %d", e.Number)
	case v.Events == 0 && v.tie != "" && e.Previous != v.tie:
		return v.fail(e.Number, line, "it does not follow event %d: it names %.16q as the hash before it, which is %.16q", e.Number-1, e.Previous, v.tie)
	case v.Events > 0 && e.Number > next:
		return v.fail(next, line, "it is missing: event %d follows event %d", e.Number, v.Last)
	case v.Events > 0 && e.Number < next:
		return v.fail(next, line, "event %d stands in its place: repeated or out of order", e.Number)
	case v.Events > 0 && e.Previous != v.Hash:
		return v.fail(e.Number, line, "it does not follow event %d: it names %.16q as the hash before it, which is %.16q", v.Last, e.Previous, v.Hash)
	case err != nil:
		return v.fail(e.Number, line, "it cannot be hashed: %v", err)
	case sum != e.Hash:
		return v.fail(e.Number, line, "it was changed: its content hashes to %.16q, and it says %.16q", sum, e.Hash)
	}
	if v.Events == 0 {
		v.First, v.Previous = e.Number, e.Previous
	}
	v.Events++
	v.Last, v.Hash = e.Number, e.Hash
	return true
}

// damaged fails at an event that cannot be read, or before it where some are
// missing.
func (v *Verification) damaged(d *store.Damaged) {
	next := v.begin
	if v.Events > 0 {
		next = v.Last + 1
	}
	if d.Number > next {
		v.fail(next, 0, "it is missing: event %d follows", d.Number)
		return
	}
	v.fail(d.Number, 0, "%s", d.Detail)
}

func (v *Verification) fail(number, line int64, format string, args ...any) bool {
	v.Broken = &Break{Number: number, Line: line, Detail: fmt.Sprintf(format, args...)}
	return false
}

// Against compares the end of the chain with marks known from elsewhere. An
// event that is marked and comes after the end is missing: the tail was cut
// off, or an older copy put back. A mark before the end says nothing here.
func (v Verification) Against(marks ...Mark) Verification {
	for _, m := range marks {
		switch {
		case v.Broken != nil || m.Number == 0:
		case m.Number > v.Last:
			v.fail(v.Last+1, 0, "it is missing: the trail ends with event %d, and event %d is known to be in it", v.Last, m.Number)
		case m.Number == v.Last && m.Hash != v.Hash:
			v.fail(m.Number, 0, "it is another than the one known: its hash is %.16q, and was %.16q", v.Hash, m.Hash)
		}
	}
	return v
}

// Verify looks at the events numbered from up to to, both inclusive, in the
// store; 0 is the first and the last there is. Where from is not the first,
// the event before it is looked at too, to tie them. The error is of the
// store; what is wrong with the chain is in the Verification.
func (t *Trail) Verify(ctx context.Context, from, to int64) (Verification, error) {
	from = max(from, 1)
	head, err := t.DB.Head(ctx)
	if err != nil {
		return Verification{}, err
	}
	last := head.Event
	if to > 0 {
		last = min(last, to)
	}
	begin, tie := max(from-1, 1), ""
	v := Verification{begin: begin}
	if last < from {
		return v, nil
	}
	behind := int64(0)
	for e, err := range t.DB.Events(ctx, store.EventQuery{After: begin - 1, Strict: true}) {
		if bad, ok := errors.AsType[*store.Damaged](err); ok {
			if bad.Number > last && last < head.Event {
				break // beyond what was asked for
			}
			v.damaged(bad)
			return v, nil
		}
		if err != nil {
			return v, err
		}
		if e.Number > last && v.Last == last {
			behind = e.Number
			break
		}
		if !v.step(e, 0) {
			return v, nil
		}
		if e.Number == begin {
			tie = e.Hash
		}
	}
	if v.Last < last {
		v.fail(max(v.Last+1, begin), 0, "it is missing: the trail ends with event %d, and there were %d", v.Last, last)
		return v, nil
	}
	if last == head.Event {
		v = v.Against(Mark{head.Event, head.Hash})
		if behind > 0 { // one that came while the others were looked at is in the head by now
			if head, err = t.DB.Head(ctx); err != nil {
				return v, err
			}
			if head.Event < behind {
				v.fail(behind, 0, "it was put in: the trail ends with event %d", head.Event)
			}
		}
	}
	if begin < from {
		v.First, v.Events, v.Previous = from, v.Events-1, tie
	}
	return v, nil
}
