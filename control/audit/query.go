package audit

import (
	"context"

	"gatehouse"
	"gatehouse/store"
)

// MaxPage bounds how many events one answer holds.
const MaxPage = 1000

// A Page is some events in the order asked for.
type Page struct {
	Events []*gatehouse.Event `json:"events"`
	// Next is what After must be for the next page; 0 at the end.
	Next int64 `json:"next,omitempty"`
}

// Query answers one page of the events that q selects; q.Limit 0 is 100, and
// at most [MaxPage].
func (t *Trail) Query(ctx context.Context, q store.EventQuery) (Page, error) {
	switch {
	case q.Limit < 0 || q.Limit > MaxPage:
		return Page{}, gatehouse.E(gatehouse.Invalid, "querying the trail: a limit of %d is not between 1 and %d", q.Limit, MaxPage)
	case q.After < 0:
		return Page{}, gatehouse.E(gatehouse.Invalid, "querying the trail: after %d; events count from 1", q.After)
	case q.Limit == 0:
		q.Limit = 100
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return Page{}, gatehouse.E(gatehouse.Invalid, "querying the trail: from %s is not before to %s", q.From.UTC(), q.To.UTC())
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	page := Page{Events: []*gatehouse.Event{}}
	for e, err := range t.DB.Events(ctx, q) {
		if err != nil {
			return Page{}, err
		}
		if len(page.Events) == limit {
			page.Next = page.Events[limit-1].Number
			break
		}
		page.Events = append(page.Events, e)
	}
	return page, nil
}

// Tail waits until there are events that q selects after q.After and answers
// them in order. When ctx ends first the page is empty and not an error: its
// Next says where to go on from, past what q does not select.
func (t *Trail) Tail(ctx context.Context, q store.EventQuery) (Page, error) {
	q.Desc = false
	for {
		head, err := t.DB.Head(ctx)
		if err == nil {
			var page Page
			if page, err = t.Query(ctx, q); err == nil && len(page.Events) > 0 {
				page.Next = page.Events[len(page.Events)-1].Number
				return page, nil
			}
		}
		if ctx.Err() != nil {
			return Page{Events: []*gatehouse.Event{}, Next: q.After}, nil
		}
		if err != nil {
			return Page{}, err
		}
		q.After = max(q.After, head.Event) // all up to there was looked at
		if err := t.DB.Wait(ctx, head.Seq); err != nil && ctx.Err() == nil {
			return Page{}, err
		}
	}
}
