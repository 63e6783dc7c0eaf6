package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/report"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// TestSpoolNothingLostNothingDouble adds, sends, loses answers and kills at
// random, and demands that a control plane that takes each number once counts
// exactly what was added.
func TestSpoolNothingLostNothingDouble(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		clock := time.Unix(1_700_000_000, 0)
		open := func() *Spool {
			s, damaged, err := OpenSpool(dir, func() time.Time { return clock })
			if err != nil || damaged != nil {
				rt.Fatal(err, damaged)
			}
			return s
		}
		s := open()
		taken, got, want := map[string]bool{}, int64(0), int64(0)
		send := func(answered bool) {
			b, err := s.Next()
			if err != nil {
				rt.Fatal(err)
			}
			if b == nil {
				return
			}
			if id := fmt.Sprint(b.Spool, b.Number); !taken[id] {
				taken[id] = true
				for _, c := range countsOf(rt, b) {
					got += c.Requests
				}
			}
			if answered {
				if err := s.Done(b); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0, 1:
				n := rapid.Int64Range(1, 9).Draw(rt, "requests")
				want += n
				if err := s.Add([]report.Count{{API: "a", Class: int(n), Requests: n}}); err != nil {
					rt.Fatal(err)
				}
			case 2:
				send(true)
			case 3:
				send(false) // the answer is lost
			case 4:
				s = open() // killed
			}
			clock = clock.Add(time.Duration(rapid.IntRange(0, 3600).Draw(rt, "seconds")) * time.Second)
		}
		for s.Waiting() > 0 {
			send(true)
		}
		if got != want {
			rt.Fatalf("counted %d, added %d", got, want)
		}
	})
}

// countsOf reads what a sealed batch says.
func countsOf(t interface{ Fatal(...any) }, b *Sealed) []report.Count {
	var in report.Batch
	if err := json.Unmarshal(b.Data, &in); err != nil || in.Spool != b.Spool || in.Number != b.Number {
		t.Fatal("batch ", b.Spool, b.Number, " reads as ", in.Spool, in.Number, err)
	}
	return in.Counts
}

// TestSpoolMerges holds that a long absence of the control plane costs little:
// within an hour what waits is merged, and no count is lost.
func TestSpoolMerges(t *testing.T) {
	clock := time.Unix(1_700_000_000, 0).Truncate(time.Hour)
	s, _, err := OpenSpool(t.TempDir(), func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	const adds = spoolKeep + 200
	for range adds {
		clock = clock.Add(time.Second)
		if err := s.Add([]report.Count{{API: "a", Class: 2, Requests: 1, Latency: []int64{1}}}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Waiting() > spoolKeep {
		t.Errorf("%d batches wait, want at most %d", s.Waiting(), spoolKeep)
	}
	var sum int64
	for s.Waiting() > 0 {
		b, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		sum += countsOf(t, b)[0].Requests
		if err := s.Done(b); err != nil {
			t.Fatal(err)
		}
	}
	if sum != adds {
		t.Errorf("counted %d, added %d", sum, adds)
	}
}

// TestSpoolKeepsBatchesSendable holds that what is merged while the spool is full
// stays below what a request may carry, however latencies lie, and that nothing
// is lost when it cannot be merged.
func TestSpoolKeepsBatchesSendable(t *testing.T) {
	dir := t.TempDir()
	clock := time.Unix(1_700_000_000, 0).Truncate(time.Hour)
	s, _, err := OpenSpool(dir, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	var bins report.Bins
	for bin := range report.NumBins {
		bins = append(bins, report.BinCount{Bin: bin, N: 1 << 20})
	}
	rows, added, full := 0, int64(0), false
	for range 12 {
		counts := make([]report.Count, MaxBatchRows)
		for i := range counts {
			rows++
			counts[i] = report.Count{API: "team/api@v1", Operation: strconv.Itoa(rows), Class: 2, Requests: 1, Latency: bins.Steps(), Bins: bins}
		}
		added += MaxBatchRows
		if err := s.Add(counts); err != nil {
			full = true
			break
		}
	}
	if !full {
		t.Fatal("the spool was never full")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.batch"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > MaxRequest {
			t.Errorf("%s: %v, %v; a request carries %d bytes", filepath.Base(f), info.Size(), err, MaxRequest)
		}
	}
	var sum int64
	for range 2 { // what is held goes once there is room
		for s.Waiting() > 0 {
			b, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range countsOf(t, b) {
				sum += c.Requests
			}
			if err := s.Done(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Add(nil); err != nil {
			t.Fatal(err)
		}
	}
	if sum != added {
		t.Errorf("sent %d, added %d", sum, added)
	}
}

// TestSpoolFullDisk takes the folder away, as a full disk would refuse to
// write, and puts it back: what was counted meanwhile is not lost.
func TestSpoolFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s, _, err := OpenSpool(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Add([]report.Count{{API: "a", Class: 2, Requests: 5}}); err == nil {
			t.Error("adding without a folder: no error")
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Add([]report.Count{{API: "a", Class: 2, Requests: 1}}); err != nil {
		t.Fatal(err)
	}
	b, err := s.Next()
	if err != nil || b == nil || countsOf(t, b)[0].Requests != 16 {
		t.Errorf("batch %+v, %v; want 16 requests", b, err)
	}
}

// TestSpoolDamaged holds that a batch that cannot be read is put aside, named,
// and does not stop those behind it.
func TestSpoolDamaged(t *testing.T) {
	dir := t.TempDir()
	s, _, err := OpenSpool(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := s.Add([]report.Count{{API: "a", Class: 2, Requests: int64(i + 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, s.queue[0].file()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, damaged, err := OpenSpool(dir, time.Now)
	if err != nil || len(damaged) != 1 {
		t.Fatalf("damaged %v, %v; want one", damaged, err)
	}
	if b, err := s.Next(); err != nil || b == nil || countsOf(t, b)[0].Requests != 2 {
		t.Errorf("next %+v, %v; want the second batch", b, err)
	}
}
