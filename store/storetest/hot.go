package storetest

import (
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// Fill puts n records of four kinds with index entries into a store, with an
// event each and usage, as an installation has after a while.
func Fill(t testing.TB, db store.DB, n int) {
	t.Helper()
	const at = 2000
	for from := 0; from < n; from += at {
		var b store.Batch
		for i := from; i < min(n, from+at); i++ {
			kind := []string{"API", "Release", "Key", "Subscription"}[i%4]
			team := fmt.Sprintf("t%d", i%100)
			b.Writes = append(b.Writes, store.Write{Key: fmt.Sprintf("%s/%s/n%06d", kind, team, i), Kind: kind, Value: []byte(`{"x":1}`), Expect: store.Any,
				Index: map[string]string{"team": team, "name": fmt.Sprintf("n%06d", i), "state": []string{"live", "requested"}[i%40/39], "environment": []string{"dev", "qa", "prod"}[i%3]}})
			b.Events = append(b.Events, &gatehouse.Event{Time: time.Now().UTC(), Actor: "user:" + team, Action: "api.put", Object: fmt.Sprintf("API %s/n%d", team, i), Team: team, Outcome: gatehouse.Allowed})
		}
		b.Usage = &store.Usage{Spool: "s", Number: int64(from + 1)}
		for i := range 200 {
			b.Usage.Rows = append(b.Usage.Rows, store.UsageRow{Hour: time.Unix(int64(from/at)*3600, 0).UTC(), Environment: "dev", Gateway: "g", API: fmt.Sprintf("t/a%d@v1", i), Application: fmt.Sprintf("t/b%d", i%20), Class: 2, Requests: 1})
		}
		if _, err := db.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// HotReads does each read that requests wait for, under its name.
func HotReads(t *testing.T, db store.DB, each func(name string, read func() error)) {
	t.Helper()
	ctx := t.Context()
	list := func(q store.Query) func() error {
		return func() error {
			for range 2 { // the first page and the next
				page, err := db.List(ctx, q)
				if err != nil {
					return err
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			return nil
		}
	}
	where := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	events := func(q store.EventQuery) func() error {
		return func() error {
			n := 0
			for _, err := range db.Events(ctx, q) {
				if n++; err != nil || n == 100 {
					return err
				}
			}
			return nil
		}
	}
	usage := func(q store.UsageQuery) func() error {
		q.From, q.To, q.Most = time.Unix(0, 0), time.Unix(36000, 0), 1000
		return func() error { _, err := db.Usage(ctx, q); return err }
	}
	for _, r := range []struct {
		name string
		read func() error
	}{
		{"one record", func() error { _, err := db.Get(ctx, "API/t0/n000000"); return err }},
		{"many records", func() error { _, err := db.GetMany(ctx, []string{"API/t0/n000000", "API/t4/n000004", "x"}); return err }},
		{"a record of the past", func() error { _, err := db.GetAsOf(ctx, "API/t0/n000000", 3); return err }},
		{"a kind", list(store.Query{Kind: "API", Limit: 100})},
		{"a team's", list(store.Query{Kind: "API", Where: where("team", "t8"), Limit: 100})},
		{"by prefix", list(store.Query{Kind: "API", Prefix: "API/t8/", Limit: 100})},
		{"two conditions", list(store.Query{Kind: "Subscription", Where: where("team", "t7", "state", "requested"), Limit: 100})},
		{"sorted", list(store.Query{Kind: "Key", Sort: "name", Limit: 100})},
		{"sorted, newest first", list(store.Query{Kind: "Key", Sort: "name", Desc: true, Limit: 100})},
		{"sorted among a team's", list(store.Query{Kind: "Release", Where: where("team", "t1"), Sort: "name", Limit: 100})},
		{"what is due", list(store.Query{Kind: "Key", Sort: "name", Below: "n000100", Limit: 100})},
		{"a kind of the past", list(store.Query{Kind: "Release", AsOf: 5, Limit: 100})},
		{"history", func() error {
			for _, err := range db.History(ctx, "API/t0/n000000") {
				return err
			}
			return nil
		}},
		{"changes", func() error { _, _, err := db.Changes(ctx, 3, 100); return err }},
		{"head", func() error { _, err := db.Head(ctx); return err }},
		{"a moment", func() error { _, err := db.AsOf(ctx, time.Now()); return err }},
		{"newest events", events(store.EventQuery{Desc: true, Limit: 100})},
		{"events of an actor", events(store.EventQuery{Actor: "user:t3", Desc: true, Limit: 100})},
		{"events on an object", events(store.EventQuery{Object: "API t3/n3", Limit: 100})},
		{"events of a team, refused", events(store.EventQuery{Team: "t3", Outcome: gatehouse.Refused, Limit: 100})},
		{"events since", events(store.EventQuery{From: time.Now().Add(-time.Hour), Limit: 100})},
		{"usage of an API", usage(store.UsageQuery{By: []string{"hour"}, Where: where("api", "t/a3@v1")})},
		{"usage of an application", usage(store.UsageQuery{By: []string{"api"}, Where: where("application", "t/b3")})},
		{"usage of a while", usage(store.UsageQuery{By: []string{"api", "class"}})},
		{"jobs that are due", func() error { _, err := db.JobQueues(ctx); return err }},
	} {
		each(r.name, r.read)
	}
}
