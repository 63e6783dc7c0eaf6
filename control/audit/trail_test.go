package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// flaky refuses some of what is written.
type flaky struct {
	store.DB
	fails func() bool
}

func (f *flaky) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	if f.fails != nil && f.fails() {
		return 0, gatehouse.E(gatehouse.Unavailable, "writing: the disk is full")
	}
	return f.DB.Apply(ctx, b)
}

// changed is a store whose events someone tampered with.
type changed struct {
	store.DB
	events []*gatehouse.Event
}

func (c changed) Events(_ context.Context, q store.EventQuery) iter.Seq2[*gatehouse.Event, error] {
	return func(yield func(*gatehouse.Event, error) bool) {
		for _, e := range c.events {
			if e.Number > q.After && !yield(e, nil) {
				return
			}
		}
	}
}

func newTrail(t *testing.T, n int) *Trail {
	t.Helper()
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	trail := &Trail{DB: db, Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }}
	ctx := WithRequest(t.Context(), Request{Actor: "user:alice", Authentication: "token:tok_1", Address: "192.0.2.1", ID: "r1"})
	for i := range n {
		act := Act{Action: "api.put", Object: fmt.Sprintf("API payments/orders%d", i), Team: "payments",
			After:  json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)),
			Writes: []store.Write{{Key: fmt.Sprintf("API/payments/orders%d", i), Kind: "API", Value: []byte(`{}`), Expect: store.Absent}}}
		if _, err := trail.Commit(ctx, act); err != nil {
			t.Fatal(err)
		}
	}
	return trail
}

func export(t *testing.T, trail *Trail) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := trail.Export(t.Context(), &b, store.EventQuery{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportVerifies(t *testing.T) {
	trail := newTrail(t, 50)
	head, _ := trail.DB.Head(t.Context())
	v, err := VerifyStream(bytes.NewReader(export(t, trail)))
	if err != nil || !v.OK() || v.Events != 50 || v.First != 1 || v.Last != head.Event || v.Hash != head.Hash {
		t.Errorf("stream: got %+v, %v; want 50 events up to %+v", v, err, head)
	}
	v, err = trail.Verify(t.Context(), 0, 0)
	if err != nil || !v.OK() || v.Events != 50 || v.Hash != head.Hash {
		t.Errorf("store: got %+v, %v", v, err)
	}
	v, err = trail.Verify(t.Context(), 20, 30)
	if err != nil || !v.OK() || v.First != 20 || v.Last != 30 || v.Events != 11 || v.Previous == "" {
		t.Errorf("a part of the store: got %+v, %v", v, err)
	}
	if v, err := trail.Verify(t.Context(), 60, 0); err != nil || !v.OK() || v.Events != 0 {
		t.Errorf("past the end: got %+v, %v", v, err)
	}
}

// N3: of 1,000 random edits to a stream, 1,000 are found, none before its
// place.
func TestStreamEditsAreFound(t *testing.T) {
	trail := newTrail(t, 40)
	whole := export(t, trail)
	good, _ := VerifyStream(bytes.NewReader(whole))
	known := Mark{good.Last, good.Hash}
	r := rand.New(rand.NewPCG(3, 14))
	for i := range 1000 {
		lines := bytes.SplitAfter(slices.Clone(whole), []byte("\n"))
		lines = lines[:len(lines)-1]
		at, other := r.IntN(len(lines)), r.IntN(len(lines))
		what, first := "", at
		switch i % 8 {
		case 0:
			bit := r.IntN(len(lines[at]) * 8)
			lines[at][bit/8] ^= 1 << (bit % 8)
			what = fmt.Sprintf("bit %d of line %d flipped", bit, at+1)
		case 1:
			lines = slices.Delete(lines, at, at+1)
			what = fmt.Sprintf("line %d removed", at+1)
		case 2:
			for other == at {
				other = r.IntN(len(lines))
			}
			lines[at], lines[other] = lines[other], lines[at]
			first, what = min(at, other), fmt.Sprintf("lines %d and %d swapped", at+1, other+1)
		case 3:
			lines = slices.Insert(lines, at, lines[at])
			what = fmt.Sprintf("line %d repeated", at+1)
		case 4:
			lines[at] = lines[at][:r.IntN(len(lines[at]))]
			what = fmt.Sprintf("line %d cut", at+1)
		case 5:
			lines = lines[:at]
			what = fmt.Sprintf("cut after line %d", at)
		case 6: // a forger who hashes anew, but cannot hash what follows
			var e gatehouse.Event
			json.Unmarshal(lines[at], &e)
			e.Actor = "user:mallory"
			e.Seal(e.Number, e.Seq, e.Previous)
			lines[at], _ = json.Marshal(e)
			lines[at] = append(lines[at], '\n')
			what = fmt.Sprintf("line %d written anew", at+1)
		case 7:
			b := []byte{" {}\",:0aZ\t"[r.IntN(10)]}
			pos := r.IntN(len(lines[at]))
			lines[at] = slices.Concat(lines[at][:pos], b, lines[at][pos:])
			what = fmt.Sprintf("%q put into line %d at %d", b, at+1, pos)
		}
		v, err := VerifyStream(bytes.NewReader(bytes.Join(lines, nil)))
		if err != nil {
			t.Fatal(err)
		}
		v = v.Against(known)
		if v.OK() {
			t.Errorf("%s: not found", what)
		} else if v.Broken.Number < int64(first+1) || v.Broken.Number > int64(first+2) {
			t.Errorf("%s: found at event %d: %s", what, v.Broken.Number, v.Broken.Detail)
		}
	}
}

func TestPartVerifiesAgainstTheEventBefore(t *testing.T) {
	trail := newTrail(t, 10)
	lines := bytes.SplitAfter(export(t, trail), []byte("\n"))
	part := bytes.Join(lines[4:8], nil)
	before, err := ParseEvent(bytes.TrimSuffix(lines[3], []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		after *Mark
		want  int64 // event at which it breaks
	}{
		{"a whole trail wanted", nil, 1},
		{"anywhere", &Mark{}, 0},
		{"the event before", &Mark{4, before.Hash}, 0},
		{"only its number", &Mark{Number: 4}, 0},
		{"another hash", &Mark{4, strings.Repeat("0", 64)}, 5},
		{"another number", &Mark{3, before.Hash}, 4},
	}
	for _, tt := range tests {
		v, err := VerifyPart(bytes.NewReader(part), tt.after)
		if err != nil || v.OK() != (tt.want == 0) || !v.OK() && v.Broken.Number != tt.want {
			t.Errorf("%s: got %+v, %v; want a break at %d (0: none)", tt.name, v.Broken, err, tt.want)
		}
	}
}

// The same over the store itself.
func TestStoreEditsAreFound(t *testing.T) {
	trail := newTrail(t, 30)
	var events []*gatehouse.Event
	for e, err := range trail.DB.Events(t.Context(), store.EventQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	tests := []struct {
		name   string
		number int64 // where it must be found
		edit   func(list []*gatehouse.Event) []*gatehouse.Event
	}{
		{"changed", 7, func(l []*gatehouse.Event) []*gatehouse.Event { l[6].Outcome = gatehouse.Refused; return l }},
		{"time changed", 30, func(l []*gatehouse.Event) []*gatehouse.Event { l[29].Time = l[29].Time.Add(1000); return l }},
		{"hashed anew", 8, func(l []*gatehouse.Event) []*gatehouse.Event {
			l[6].Actor = "user:mallory"
			l[6].Seal(7, l[6].Seq, l[6].Previous)
			return l
		}},
		{"last hashed anew", 30, func(l []*gatehouse.Event) []*gatehouse.Event {
			l[29].Actor = "user:mallory"
			l[29].Seal(30, l[29].Seq, l[29].Previous)
			return l
		}},
		{"removed", 12, func(l []*gatehouse.Event) []*gatehouse.Event { return slices.Delete(l, 11, 12) }},
		{"first removed", 1, func(l []*gatehouse.Event) []*gatehouse.Event { return l[1:] }},
		{"tail removed", 25, func(l []*gatehouse.Event) []*gatehouse.Event { return l[:24] }},
		{"all removed", 1, func(l []*gatehouse.Event) []*gatehouse.Event { return nil }},
		{"repeated", 13, func(l []*gatehouse.Event) []*gatehouse.Event { return slices.Insert(l, 12, l[11]) }},
		{"swapped", 3, func(l []*gatehouse.Event) []*gatehouse.Event { l[2], l[3] = l[3], l[2]; return l }},
		{"put in behind the end", 31, func(l []*gatehouse.Event) []*gatehouse.Event {
			more := *l[29]
			more.Seal(31, more.Seq, l[29].Hash)
			return append(l, &more)
		}},
		{"renumbered", 12, func(l []*gatehouse.Event) []*gatehouse.Event {
			l = slices.Delete(l, 11, 12)
			for _, e := range l[11:] {
				e.Number--
			}
			return l
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var list []*gatehouse.Event
			for _, e := range events {
				c := *e
				list = append(list, &c)
			}
			v, err := (&Trail{DB: changed{trail.DB, tt.edit(list)}}).Verify(t.Context(), 0, 0)
			if err != nil || v.OK() || v.Broken.Number != tt.number {
				t.Fatalf("got %+v, %v; want a break at event %d", v.Broken, err, tt.number)
			}
			if !strings.Contains(v.Error().Error(), fmt.Sprintf("event %d: ", tt.number)) {
				t.Errorf("the error does not name the event: %v", v.Error())
			}
		})
	}
}

// N1 and N2: as many events as changes, also where the store fails; a change
// without its event does not happen.
func TestEveryChangeHasItsEvent(t *testing.T) {
	db := &flaky{DB: memory.New()}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 2))
	db.fails = func() bool { return r.IntN(5) == 0 }
	trail := &Trail{DB: db}
	done, refused := int64(0), int64(0)
	value := map[string]string{}
	for i := range 1000 {
		key := fmt.Sprint("API/t/", r.IntN(20))
		switch r.IntN(4) {
		case 0:
			if trail.Record(t.Context(), "api.put", "API t/x", "t", gatehouse.Refused, errors.New("no permission")) == nil {
				refused++
			}
		default:
			after := fmt.Sprintf(`{"n":%d}`, i)
			_, err := trail.Commit(t.Context(), Act{Action: "api.put", Object: key, After: json.RawMessage(after),
				Writes: []store.Write{{Key: key, Kind: "API", Value: []byte(after), Expect: store.Any}}})
			if err == nil {
				done++
				value[key] = after
			} else if gatehouse.KindOf(err) != gatehouse.Unavailable {
				t.Fatal(err)
			}
		}
	}
	outcomes := map[string]int64{}
	for e, err := range db.Events(t.Context(), store.EventQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		outcomes[e.Outcome]++
	}
	if outcomes[gatehouse.Allowed] != done || outcomes[gatehouse.Refused] != refused || refused == 0 || done == 0 {
		t.Errorf("got %v events, want %d of what was done and %d of what was refused", outcomes, done, refused)
	}
	changes, _, err := db.Changes(t.Context(), 0, 1<<20)
	if err != nil || int64(len(changes)) != done {
		t.Errorf("got %d changes, %v; want %d", len(changes), err, done)
	}
	for key, want := range value {
		if r, err := db.Get(t.Context(), key); err != nil || string(r.Value) != want {
			t.Errorf("%s: got %s, %v; want %s", key, r.Value, err, want)
		}
	}
	if v, err := trail.Verify(t.Context(), 0, 0); err != nil || !v.OK() || v.Events != done+refused {
		t.Errorf("the chain: %+v, %v", v, err)
	}
}

func TestQueryPages(t *testing.T) {
	trail := newTrail(t, 25)
	for _, desc := range []bool{false, true} {
		var got []int64
		q := store.EventQuery{Limit: 10, Desc: desc, Object: "API payments/*"}
		for {
			page, err := trail.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				got = append(got, e.Number)
			}
			if page.Next == 0 {
				break
			}
			q.After = page.Next
		}
		want := make([]int64, 25)
		for i := range want {
			want[i] = int64(i + 1)
		}
		if desc {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("desc %v: got %v", desc, got)
		}
	}
	for _, q := range []store.EventQuery{{Limit: MaxPage + 1}, {Limit: -1}, {After: -1}, {From: time.Unix(2, 0), To: time.Unix(1, 0)}} {
		if _, err := trail.Query(t.Context(), q); !gatehouse.Is(err, gatehouse.Invalid) {
			t.Errorf("%+v: got %v, want it refused as invalid", q, err)
		}
	}
}

func TestTailWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trail := newTrail(t, 3)
		page, err := trail.Tail(t.Context(), store.EventQuery{After: 1})
		if err != nil || len(page.Events) != 2 || page.Next != 3 {
			t.Fatalf("what is there already: got %+v, %v", page, err)
		}
		answer := make(chan Page)
		go func() {
			page, err := trail.Tail(t.Context(), store.EventQuery{After: 3, Action: "team.*"})
			if err != nil {
				t.Error(err)
			}
			answer <- page
		}()
		synctest.Wait()
		for _, action := range []string{"api.put", "team.put"} {
			if err := trail.Record(t.Context(), action, "", "", gatehouse.Failed, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if page := <-answer; len(page.Events) != 1 || page.Events[0].Number != 5 || page.Next != 5 {
			t.Errorf("got %+v, want event 5", page)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		page, err = trail.Tail(ctx, store.EventQuery{Action: "team.delete"})
		if err != nil || len(page.Events) != 0 || page.Next != 5 {
			t.Errorf("nothing new: got %+v, %v; want to go on from 5", page, err)
		}
	})
}

// What callers wrote does not fill an event, nor bring a secret into it.
func TestRecordIsBoundedAndMasked(t *testing.T) {
	trail := newTrail(t, 0)
	err := trail.Record(t.Context(), "api.put", "API "+strings.Repeat("x", 1<<20), "", gatehouse.Failed,
		errors.New("dialing https://bob:hunter2@example.com: "+strings.Repeat("é", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	text := export(t, trail)
	if len(text) > 8<<10 || bytes.Contains(text, []byte("hunter2")) {
		t.Errorf("got %d bytes: %.200s", len(text), text)
	}
}

func FuzzVerifyStream(f *testing.F) {
	f.Add([]byte(`{"action":"api.put","actor":"a","authentication":"none","hash":"x","number":1,"outcome":"allowed","previous":"","seq":1,"time":"2026-11-22T12:00:00Z"}` + "\n"))
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte("\n"))
	f.Add([]byte(`{"number":1,"change":[{"path":"/a","before":null,"after":{"b":[1e400]}}]}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := VerifyStream(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("reading from memory: %v", err)
		}
		if v.OK() && v.Events != int64(bytes.Count(data, []byte("\n"))) {
			t.Fatalf("%d events in %q", v.Events, data)
		}
	})
}

// TestWhoHangsUpIsOnRecord holds that nobody is spared the record of a refusal
// by going away before it is written.
func TestWhoHangsUpIsOnRecord(t *testing.T) {
	trail := newTrail(t, 0)
	ctx, hangUp := context.WithCancel(WithRequest(t.Context(), Request{Actor: "user:mallory", Address: "192.0.2.9", ID: "r2"}))
	hangUp()
	if err := trail.Record(ctx, "role.put", "Role everything", "", gatehouse.Refused, errors.New("not permitted")); err != nil {
		t.Fatal(err)
	}
	for e, err := range trail.DB.Events(t.Context(), store.EventQuery{}) {
		if err != nil || e.Actor != "user:mallory" || e.Outcome != gatehouse.Refused {
			t.Errorf("got %+v, %v", e, err)
		}
		return
	}
	t.Error("nothing is on record")
}
