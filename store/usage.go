package store

import (
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/report"
)

// Dimensions are what usage is grouped and filtered by, in the order of a
// [UsageKey].
var Dimensions = []string{"hour", "environment", "gateway", "api", "operation", "application", "product", "plan", "class", "denied", "revision"}

// A UsageKey is the dimensions of a row; rows with the same key add up.
type UsageKey struct {
	Hour                                       int64 // microseconds since 1970, UTC
	Environment, Gateway                       string
	API, Operation, Application, Product, Plan string
	Class                                      int64
	Denied                                     string
	Revision                                   string
}

// Key is the row's key, its hour cut to the start and its texts to columns.
func (r *UsageRow) Key() UsageKey {
	return UsageKey{
		Hour: r.Hour.UTC().Truncate(time.Hour).UnixMicro(), Environment: Column(r.Environment), Gateway: Column(r.Gateway),
		API: Column(r.API), Operation: Column(r.Operation), Application: Column(r.Application), Product: Column(r.Product),
		Plan: Column(r.Plan), Class: int64(r.Class), Denied: Column(r.Denied), Revision: Column(r.Revision),
	}
}

// Row is a row with this key that counts nothing yet.
func (k UsageKey) Row() *UsageRow {
	return &UsageRow{
		Hour: time.UnixMicro(k.Hour).UTC(), Environment: k.Environment, Gateway: k.Gateway, API: k.API, Operation: k.Operation,
		Application: k.Application, Product: k.Product, Plan: k.Plan, Class: int(k.Class), Denied: k.Denied, Revision: k.Revision,
	}
}

// Add adds what other counts.
func (r *UsageRow) Add(other *UsageRow) {
	r.Requests += other.Requests
	r.BytesIn += other.BytesIn
	r.BytesOut += other.BytesOut
	r.BackendMicros += other.BackendMicros
	for i, n := range other.Latency {
		if n == 0 {
			continue
		}
		if r.Latency == nil {
			r.Latency = make([]int64, len(report.LatencyBounds)+1)
		}
		r.Latency[i] += n
	}
	r.Bins = r.Bins.Add(other.Bins)
}

// Merged adds rows with the same key, in the order in which each first came.
func (u *Usage) Merged() []*UsageRow {
	var rows []*UsageRow
	byKey := map[UsageKey]*UsageRow{}
	for i := range u.Rows {
		k := u.Rows[i].Key()
		if byKey[k] == nil {
			byKey[k] = k.Row()
			rows = append(rows, byKey[k])
		}
		byKey[k].Add(&u.Rows[i])
	}
	return rows
}

// Check refuses dimensions that there are not.
func (q UsageQuery) Check() error {
	for _, name := range q.By {
		if !slices.Contains(Dimensions, name) {
			return gatehouse.E(gatehouse.Invalid, "summing usage by %q: the dimensions are %q", name, Dimensions)
		}
	}
	for name, value := range q.Where {
		if !slices.Contains(Dimensions, name) {
			return gatehouse.E(gatehouse.Invalid, "filtering usage by %q: the dimensions are %q", name, Dimensions)
		}
		if _, err := UsageValue(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Full refuses an answer that has come to more rows than were to be had.
func (q UsageQuery) Full(rows int) error {
	if q.Most > 0 && rows > q.Most {
		return gatehouse.E(gatehouse.Invalid, "summing usage: the answer has more than %d rows; ask for a shorter time, fewer dimensions, or one API or application", q.Most)
	}
	return nil
}

// UsageValue is the value that a filter asks for, as it is kept: an hour is
// written as in RFC 3339, a class as a number.
func UsageValue(name, value string) (any, error) {
	switch name {
	case "hour":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "filtering usage by hour: %q is no time like 2027-01-31T15:00:00Z", value)
		}
		return t.UTC().Truncate(time.Hour).UnixMicro(), nil
	case "class":
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "filtering usage by class: %q is no number", value)
		}
		return int64(n), nil
	}
	return Column(value), nil
}

// Part is the value of one dimension, an int64 or a string.
func (k *UsageKey) Part(name string) any {
	switch p := k.Pointer(name).(type) {
	case *int64:
		return *p
	case *string:
		return *p
	}
	return nil
}

// Only is the key with the named dimensions alone; the others are zero.
func (k UsageKey) Only(names []string) UsageKey {
	var only UsageKey
	for _, name := range names {
		switch p := k.Pointer(name).(type) {
		case *int64:
			*only.Pointer(name).(*int64) = *p
		case *string:
			*only.Pointer(name).(*string) = *p
		}
	}
	return only
}

// Pointer leads to one dimension: a *int64 or a *string, nil for a name that
// is none of [Dimensions].
func (k *UsageKey) Pointer(name string) any {
	switch name {
	case "hour":
		return &k.Hour
	case "environment":
		return &k.Environment
	case "gateway":
		return &k.Gateway
	case "api":
		return &k.API
	case "operation":
		return &k.Operation
	case "application":
		return &k.Application
	case "product":
		return &k.Product
	case "plan":
		return &k.Plan
	case "class":
		return &k.Class
	case "denied":
		return &k.Denied
	case "revision":
		return &k.Revision
	}
	return nil
}
