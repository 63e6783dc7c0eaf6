// Package apply measures what it takes to bring 1,000 APIs of 10 operations
// each in, in one bundle, by the command line: for the first time, again, and
// as a plan, on both databases. Every API has a definition and a backend.
package apply

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/bench/estate"
	"gatehouse/bench/results"
	"gatehouse/bench/site"
	"gatehouse/store/postgres/pgtest"
)

// again is how often what can be repeated is.
const again = 3

// A row is what one database gave.
type row struct {
	database           string
	plan, first        time.Duration
	second, secondPlan []time.Duration
}

// Measure returns a table.
func Measure(_ context.Context, quick bool) (string, error) {
	apis, repeat := 1000, again
	if quick {
		apis, repeat = 200, 1
	}
	embedded, err := measure("SQLite", "", apis, repeat)
	if err != nil {
		return "", err
	}
	rows := []row{embedded}
	pg, url, err := pgtest.Run()
	if err != nil {
		return "", err
	}
	r, err := measure("PostgreSQL", url, apis, repeat)
	if err := errors.Join(err, pg.Close()); err != nil {
		return "", err
	}
	rows = append(rows, r)
	return table(rows, apis), nil
}

func measure(database, url string, apis, repeat int) (r row, err error) {
	s, err := site.New()
	if err != nil {
		return r, err
	}
	defer s.Close()
	s.Database, r.database = url, database
	files := filepath.Join(s.Dir, "files")
	if err := estate.Write(files, 0, apis, s.Backend); err != nil {
		return r, err
	}
	if err := s.StartControl(false); err != nil {
		return r, err
	}
	if err := s.Platform(); err != nil {
		return r, err
	}
	if _, r.plan, err = s.CLI(2, "plan", "-f", files); err != nil { // 2: changes pending
		return r, err
	}
	if _, r.first, err = s.CLI(0, "apply", "-f", files, "--wait", "0"); err != nil {
		return r, err
	}
	for range repeat {
		out, took, err := s.CLI(0, "apply", "-f", files, "--wait", "0")
		if err != nil {
			return r, err
		}
		if strings.Contains(out, "create") || strings.Contains(out, "update") {
			return r, fmt.Errorf("the second apply changed something:\n%.2000s", out)
		}
		r.second = append(r.second, took)
		if _, took, err = s.CLI(0, "plan", "-f", files); err != nil { // 0: nothing to change
			return r, err
		}
		r.secondPlan = append(r.secondPlan, took)
	}
	return r, nil
}

func table(rows []row, apis int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Apply\n\n%s; load average %s.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "%d APIs of %d operations, each with a definition file and a backend, in one bundle by the command line; reading the files is in it. ", apis, estate.Operations)
	b.WriteString("Repeated ones are medians of three. PostgreSQL runs without fsync, as the tests run it.\n\n")
	b.WriteString("| database | plan of all as new | apply | apply again, no change | plan again | goal |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.1f s | %.1f s | %.1f s | %.1f s | apply < 30 s, again and plan < 5 s |\n", r.database,
			r.plan.Seconds(), r.first.Seconds(), median(r.second).Seconds(), median(r.secondPlan).Seconds())
	}
	return b.String()
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}
