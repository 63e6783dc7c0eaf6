package sqlite

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

var kills = flag.Int("kills", 25, "how often TestKilled kills the writing process")

// childPath makes the test binary a process that writes until it is killed.
const childPath = "GATEHOUSE_TEST_CHILD_PATH"

// TestChild is the process of the tests below: it says each number it was
// given, and goes on until it is killed or has written as often as asked.
func TestChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		return
	}
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rounds := 1 << 30
	fmt.Sscan(os.Getenv("GATEHOUSE_TEST_ROUNDS"), &rounds)
	for i := range rounds {
		head, err := db.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next := head.Seq + 1
		b := store.Batch{
			Writes: []store.Write{
				{Key: fmt.Sprintf("k%d", next), Kind: "Thing", Value: fmt.Append(nil, next), Expect: store.Absent, Index: map[string]string{"n": fmt.Sprint(next)}},
				{Key: "last", Kind: "Thing", Value: fmt.Append(nil, next), Expect: store.Any, Index: map[string]string{"n": fmt.Sprint(next)}},
			},
			Events: []*gatehouse.Event{{Action: "child"}, {Action: "child"}},
			Usage:  &store.Usage{Spool: "s", Number: int64(next), Rows: []store.UsageRow{{Requests: 1}}},
		}
		if i%7 == 0 { // now and then a large one, to be killed in the midst of it
			b.Writes[0].Value = fmt.Appendf(nil, "%d%s", next, strings.Repeat(" ", 300_000))
		}
		seq, err := db.Apply(t.Context(), b)
		if err != nil || seq != next {
			t.Fatalf("got %d, %v; want %d", seq, err, next)
		}
		fmt.Println("wrote", seq)
	}
}

func child(path string, more ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(append(os.Environ(), childPath+"="+path), more...)
	cmd.Stderr = os.Stderr
	return cmd
}

// The writing process is killed at random moments: what it was told is
// written is there, whole, and nothing is there in part or twice.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	for round := range *kills {
		cmd := child(path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var told store.Seq
		lines := bufio.NewScanner(out)
		for left := 1 + rand.IntN(30); left > 0 && lines.Scan(); left-- {
			fmt.Sscanf(lines.Text(), "wrote %d", &told)
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died counts too
			fmt.Sscanf(lines.Text(), "wrote %d", &told)
		}
		_ = cmd.Wait() // killed, as wanted
		if told == 0 {
			t.Fatalf("round %d: the process has written nothing", round)
		}
		whole(t, path, told)
	}
}

// whole checks that the database holds exactly the first n batches, n not
// below told.
func whole(t *testing.T, path string, told store.Seq) {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	head, err := db.Head(t.Context())
	if err != nil || head.Seq < told {
		t.Fatalf("head: got %+v, %v; the process was told that batch %d is written", head, err, told)
	}
	if n := storetest.Verify(t, db); n != 2*int64(head.Seq) {
		t.Fatalf("got %d events, want %d", n, 2*head.Seq)
	}
	page, err := db.List(t.Context(), store.Query{Kind: "Thing"})
	if err != nil || len(page.Records) != int(head.Seq)+1 {
		t.Fatalf("got %d records, %v; want %d", len(page.Records), err, head.Seq+1)
	}
	r, err := db.Get(t.Context(), "last")
	if err != nil || string(r.Value) != fmt.Sprint(head.Seq) {
		t.Fatalf("the record all batches write: got %s, %v; want %d", r.Value, err, head.Seq)
	}
	page, err = db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"n": fmt.Sprint(head.Seq)}})
	if err != nil || len(page.Records) != 2 {
		t.Fatalf("index entries of the last batch: got %d, %v; want 2", len(page.Records), err)
	}
	rows, err := db.Usage(t.Context(), store.UsageQuery{})
	if err != nil || len(rows) != 1 || rows[0].Requests != int64(head.Seq) {
		t.Fatalf("usage: got %+v, %v; want %d requests", rows, err, head.Seq)
	}
}

// Power loss, by its model: between a write's beginning and its answer the
// file is synced at least once. Needs strace.
func TestSynced(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: apt-get install strace")
	}
	const rounds = 30
	dir := t.TempDir()
	log := filepath.Join(dir, "strace")
	cmd := child(filepath.Join(dir, "gatehouse.db"), fmt.Sprintf("GATEHOUSE_TEST_ROUNDS=%d", rounds))
	cmd.Args = append([]string{strace, "-f", "-o", log, "-s", "40", "-e", "trace=fsync,fdatasync,write"}, cmd.Args...)
	cmd.Path = strace
	cmd.Stdout = io.Discard
	if err := cmd.Run(); err != nil {
		t.Skipf("strace cannot trace here: %v", err)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sync := regexp.MustCompile(`f(data)?sync\(`)
	syncs, answers := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		switch line := lines.Text(); {
		case sync.MatchString(line):
			syncs++
		case strings.Contains(line, `write(1, "wrote `):
			if answers++; syncs == 0 {
				t.Errorf("answer %d came without a sync since the one before", answers)
			}
			syncs = 0
		}
	}
	if answers != rounds {
		t.Errorf("saw %d answers, want %d", answers, rounds)
	}
}
