package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Match reports whether the query asks for the event whose JSON is text; After
// and Limit are for the engine.
func (q EventQuery) Match(e *gatehouse.Event, text []byte) bool {
	switch {
	case !equal(q.Actor, e.Actor), !equal(q.Team, e.Team), !equal(q.Outcome, e.Outcome):
		return false
	case !glob(q.Action, e.Action), !glob(q.Object, e.Object):
		return false
	case !q.From.IsZero() && e.Time.Before(q.From), !q.To.IsZero() && !e.Time.Before(q.To):
		return false
	}
	return q.MatchText(text)
}

// MatchText reports whether the JSON of an event contains Text, without regard
// to case.
func (q EventQuery) MatchText(text []byte) bool {
	return q.Text == "" || strings.Contains(strings.ToLower(string(text)), strings.ToLower(q.Text))
}

func equal(want, have string) bool { return want == "" || want == have }

func glob(want, have string) bool {
	if rest, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(have, rest)
	}
	return equal(want, have)
}

// Beyond reports whether an event of that number lies on the far side of After.
func (q EventQuery) Beyond(number int64) bool {
	if q.Desc {
		return q.After == 0 || number < q.After
	}
	return number > q.After
}

// Match reports whether usage with that key is asked for.
func (q UsageQuery) Match(k UsageKey) bool {
	if (!q.From.IsZero() && k.Hour < q.From.UnixMicro()) || (!q.To.IsZero() && k.Hour >= q.To.UnixMicro()) {
		return false
	}
	for name, text := range q.Where {
		if want, err := UsageValue(name, text); err != nil || k.Part(name) != want {
			return false
		}
	}
	return true
}

// Sorted orders sums by their dimensions and takes them out of their pointers.
func (q UsageQuery) Sorted(rows []*UsageRow) []UsageRow {
	slices.SortFunc(rows, func(a, b *UsageRow) int {
		return cmp.Or(
			a.Hour.Compare(b.Hour), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Gateway, b.Gateway), cmp.Compare(a.API, b.API),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Application, b.Application), cmp.Compare(a.Product, b.Product),
			cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Denied, b.Denied),
			cmp.Compare(a.Revision, b.Revision))
	})
	sorted := make([]UsageRow, len(rows))
	for i, r := range rows {
		sorted[i] = *r
		if !slices.Contains(q.By, "hour") {
			sorted[i].Hour = time.Time{}
		}
	}
	return sorted
}
