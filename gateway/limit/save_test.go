package limit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/policy"
)

func TestCountersOutliveARestart(t *testing.T) {
	l := New(Options{})
	month := policy.Budget{Limit: 100, Calendar: "month"}
	for i := range 1000 {
		l.Take("plan:a", fmt.Sprint(i), month, int64(i%100)+1, start)
	}
	l.Take("s", "k", perMinute(10), 10, start)
	l.Take("s", "idle", policy.Budget{Limit: 10, Per: time.Second, Burst: 10}, 1, start)
	later := start.Add(10 * time.Second)
	var file bytes.Buffer
	if err := l.Save(&file, later); err != nil {
		t.Fatal(err)
	}
	n := New(Options{})
	if err := n.Load(bytes.NewReader(file.Bytes()), later); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if got, want := n.Take("plan:a", fmt.Sprint(i), month, 0, later).Remaining, int64(99-i%100); got != want {
			t.Errorf("subscription %d: got %d remaining, want %d", i, got, want)
		}
	}
	if got := n.Take("s", "k", perMinute(10), 0, later).Remaining; got != 1 {
		t.Errorf("bucket: got %d remaining, want 1", got)
	}
	if n.Len() != 1001 {
		t.Errorf("got %d counters, want 1001: the idle one is not worth saving", n.Len())
	}
}

func TestDamagedFilesAreRefusedWhole(t *testing.T) {
	l := New(Options{})
	for i := range 5 {
		l.Take("s", fmt.Sprint(i), perMinute(10), 5, start)
	}
	var file bytes.Buffer
	if err := l.Save(&file, start); err != nil {
		t.Fatal(err)
	}
	good := file.Bytes()
	refused := func(what string, data []byte) {
		n := New(Options{})
		if err := n.Load(bytes.NewReader(data), start); err == nil || n.Len() != 0 {
			t.Errorf("%s: got %v and %d counters, want an error and none", what, err, n.Len())
		}
	}
	for i := range good {
		refused(fmt.Sprint("cut at ", i), good[:i])
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		refused(fmt.Sprint("bit changed in byte ", i), bad)
	}
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestSaveSaysWhenTheDiskIsFull(t *testing.T) {
	l := New(Options{})
	for i := range 1000 {
		l.Take("s", fmt.Sprint(i), perMinute(10), 5, start)
	}
	var file bytes.Buffer
	l.Save(&file, start)
	for _, left := range []int{0, 10, 5000, file.Len() - 1} {
		if err := l.Save(&full{left}, start); err == nil {
			t.Errorf("with room for %d bytes of %d: saved", left, file.Len())
		}
	}
}

// A window never lets more through than its limit, and a bucket never more than
// its burst and what refilled: against a model that keeps every request.
func TestAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 20).Draw(t, "limit")
		burst := rapid.Int64Range(0, 30).Draw(t, "burst")
		b := policy.Budget{Limit: limit, Per: time.Second, Burst: burst}
		l, now := New(Options{}), start
		var taken []time.Time
		for range rapid.IntRange(1, 100).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(300*time.Millisecond)).Draw(t, "pause")))
			s := l.Take("s", "k", b, 1, now)
			if s.Allowed {
				taken = append(taken, now)
			}
			if s.Allowed != (s.Retry == 0) || s.Remaining < 0 {
				t.Fatalf("standing %+v contradicts itself", s)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				span, n := taken[j].Sub(taken[i]), int64(j-i+1)
				allowed := burst + int64(span)*limit/int64(time.Second) + 1
				if burst == 0 {
					if !taken[i].Truncate(time.Second).Equal(taken[j].Truncate(time.Second)) {
						continue
					}
					allowed = limit
				}
				if n > allowed {
					t.Fatalf("%d requests in %s, want at most %d", n, span, allowed)
				}
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	l := New(Options{})
	l.Take("s", "k", perMinute(10), 5, start)
	l.Take("s", "k", policy.Budget{Limit: 9, Calendar: "day"}, 5, start)
	var file bytes.Buffer
	l.Save(&file, start)
	f.Add(file.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := New(Options{MaxKeys: 64})
		if err := n.Load(bytes.NewReader(data), start); err != nil && n.Len() > 0 {
			t.Errorf("refused with %v, but %d counters were taken in", err, n.Len())
		}
		n.Save(io.Discard, start)
	})
}
