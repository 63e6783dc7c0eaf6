package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/postgres"
	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/storetest"

	"github.com/jackc/pgx/v5"
)

// Several handles on one database, each with its own pool and listener, as
// several processes have.
func TestSeveralHandles(t *testing.T) {
	url := pgtest.URL(t)
	storetest.Concurrent(t, openURL(t, url), openURL(t, url), openURL(t, url))
}

// childURL makes the test binary a process that writes until its input ends.
const childURL = "GATEHOUSE_TEST_CHILD_URL"

// Several processes write while this one watches: every batch comes once and
// in order, and each that a process was told of is there.
func TestSeveralProcesses(t *testing.T) {
	const processes, each = 3, 40
	url := pgtest.URL(t)
	db := openURL(t, url)
	var run sync.WaitGroup
	acknowledged := make(chan string, processes*each)
	for i := range processes {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
		cmd.Env = append(os.Environ(), childURL+"="+url, fmt.Sprintf("GATEHOUSE_TEST_CHILD=%d", i), fmt.Sprintf("GATEHOUSE_TEST_ROUNDS=%d", each))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		run.Go(func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if line, ok := strings.CutPrefix(lines.Text(), "wrote "); ok {
					acknowledged <- line
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		})
	}
	seen := map[string]store.Seq{}
	for at := store.Seq(0); at < processes*each; {
		if err := db.Wait(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		changes, upTo, err := db.Changes(t.Context(), at, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if at++; c.Seq != at {
				t.Fatalf("after batch %d came batch %d", at-1, c.Seq)
			}
			seen[fmt.Sprintf("%s %d", c.Key, c.Seq)] = c.Seq
		}
		if at != upTo {
			t.Fatalf("changes end at %d, the store says %d", at, upTo)
		}
	}
	run.Wait()
	close(acknowledged)
	n := 0
	for line := range acknowledged {
		if n++; seen[line] == 0 {
			t.Errorf("a process was told that it wrote %q, but no watcher saw it", line)
		}
	}
	if n != processes*each || len(seen) != n {
		t.Errorf("acknowledged %d, seen %d; want %d", n, len(seen), processes*each)
	}
	if n := storetest.Verify(t, db); n != processes*each {
		t.Errorf("got %d events, want %d", n, processes*each)
	}
}

// TestChild is a process of TestSeveralProcesses.
func TestChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		return
	}
	db := openURL(t, url)
	var rounds int
	fmt.Sscan(os.Getenv("GATEHOUSE_TEST_ROUNDS"), &rounds)
	for i := range rounds {
		key := fmt.Sprintf("p%s/%d", os.Getenv("GATEHOUSE_TEST_CHILD"), i)
		seq, err := db.Apply(t.Context(), store.Batch{
			Writes: []store.Write{{Key: key, Kind: "Thing", Value: []byte("1"), Expect: store.Absent}},
			Events: []*gatehouse.Event{{Action: "child"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("wrote", key, seq)
	}
}

func TestOpenAtOnce(t *testing.T) {
	url := pgtest.URL(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			db, err := postgres.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := db.Head(t.Context()); err != nil {
				t.Error(err)
			}
			db.Close()
		})
	}
	all.Wait()
}

func TestNewerDatabase(t *testing.T) {
	url := pgtest.URL(t)
	openURL(t, url).Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `INSERT INTO migration(version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Open(t.Context(), url)
	if !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want a refusal because the database is newer", err)
	}
}
