package gate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/results"
	"gatehouse/bench/site"
	"gatehouse/client"
	"gatehouse/store/postgres/pgtest"
)

// An again is one new framework version over everything that is released, on one
// database, beside people who use the management API.
type again struct {
	apis   int
	site   *site.Site
	api    *client.Client
	author string // token of who writes the framework
	filled time.Duration
	took   time.Duration // from the version in force until the last API was looked at
	before []time.Duration
	during []time.Duration
	failed int
}

// MeasureAgain returns a table of how long looking at everything again takes, and
// what it does to the management API meanwhile.
func MeasureAgain(ctx context.Context, quick bool) (string, error) {
	apis, quiet := 5000, 30*time.Second
	if quick {
		apis, quiet = 200, 3*time.Second
	}
	var all []*again
	for _, postgres := range []bool{false, true} {
		a, err := measureAgain(ctx, apis, quiet, postgres)
		if err != nil {
			return "", err
		}
		all = append(all, a)
	}
	return tableAgain(all), nil
}

func measureAgain(ctx context.Context, apis int, quiet time.Duration, postgres bool) (a *again, err error) {
	a = &again{apis: apis}
	if a.site, err = site.New(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.site.Close()) }()
	if postgres {
		server, url, err := pgtest.Run()
		if err != nil {
			return nil, err
		}
		defer server.Close()
		a.site.Database = url
	}
	if err := a.site.StartControl(false); err != nil {
		return nil, err
	}
	defer func() { a.site.Control.Kill(); a.site.Control = nil }() // before its database ends
	if a.api, err = a.site.Client(); err != nil {
		return nil, err
	}
	if err := a.fill(); err != nil {
		return nil, fmt.Errorf("filling: %w", err)
	}
	if err := a.propose("1"); err != nil {
		return nil, err
	}
	if _, err := a.enforce(ctx, "1"); err != nil {
		return nil, fmt.Errorf("the first version: %w", err)
	}
	if err := a.propose("2"); err != nil {
		return nil, err
	}
	if err := a.calm(ctx, quiet); err != nil {
		return nil, err
	}
	u := a.users(ctx)
	a.took, err = a.enforce(ctx, "2")
	a.during, a.failed = u.end(), int(u.failed.Load())
	if err != nil {
		return nil, fmt.Errorf("the second version: %w", err)
	}
	return a, a.calm(ctx, quiet)
}

// calm measures the management API while nothing is looked at again, half of it
// before and half after, so that what else the machine does weighs the same.
func (a *again) calm(ctx context.Context, quiet time.Duration) error {
	_ = sleep(ctx, 5*time.Second) // what came before settles
	u := a.users(ctx)
	_ = sleep(ctx, quiet)
	a.before = append(a.before, u.end()...)
	slices.Sort(a.before)
	return ctx.Err()
}

// versions is a framework of which the second version asks for something that the
// first did not, and asks everything else in other words: nothing that passed
// before answers for it.
func versions(names ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: gatehouse/v1\nkind: Framework\nmetadata: {name: corporate}\nspec:\n  versions:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "    - name: %q\n      controls:\n", name)
		for i, rule := range []string{"operation-operationId", "operation-success-response", "operation-operationId-unique", "path-params", "no-script-tags-in-markdown",
			"path-keys-no-trailing-slash", "path-not-include-query", "operation-parameters", "typed-enum", "operation-description"} {
			fmt.Fprintf(&b, "        - {id: lint-%d, level: advisory, title: Rule %s of version %s, check: {lint: {ruleset: \"spectral:oas\", rules: [%s], failOn: warn}}}\n", i, rule, name, rule)
		}
		for i := range 18 {
			fmt.Fprintf(&b, "        - {id: cel-%d, title: Methods and paths, check: {cel: {each: operation, expression: 'operation.method != \"TRACE\" && operation.path != \"/v%s-%d\"', message: \"choose another\"}}}\n", i, name, i)
		}
		b.WriteString("        - {id: place, title: Data lies where it may, check: {placement: {data: true}}}\n        - {id: unbroken, title: Nothing breaks, check: {change: {}}}\n")
	}
	return b.String()
}

func (a *again) fill() error {
	begin := time.Now()
	if err := a.write(fmt.Sprintf(environment, "report") + boss + fmt.Sprintf(judge, "carol") + fmt.Sprintf(judge, "dan")); err != nil {
		return err
	}
	token, _, err := a.site.CLI(0, "token", "create", "--subject", "user:boss@example.com", "--name", "boss")
	if err != nil {
		return err
	}
	a.author = strings.TrimSpace(token)
	for from := 0; from < a.apis; from += 1000 {
		dir := filepath.Join(a.site.Dir, fmt.Sprintf("estate%d", from))
		if err := estate.Write(dir, from, min(a.apis, from+1000), a.site.Backend); err != nil {
			return err
		}
		if _, _, err := a.site.CLI(0, "apply", "-f", dir, "--wait", "0"); err != nil {
			return err
		}
	}
	a.filled = time.Since(begin)
	return nil
}

func (a *again) write(text string, more ...string) error {
	m := &measurement{site: a.site}
	return m.apply(text, more...)
}

// propose takes a version through its approvals.
func (a *again) propose(version string) error {
	names := []string{"1", "2"}
	if err := a.write(versions(names[:slices.Index(names, version)+1]...), "--token", a.author); err != nil {
		return err
	}
	if _, _, err := a.site.CLI(0, "--token", a.author, "framework", "submit", "corporate@"+version); err != nil {
		return err
	}
	for _, who := range []string{"carol", "dan"} {
		token, _, err := a.site.CLI(0, "token", "create", "--subject", "user:"+who+"@example.com", "--name", who+version)
		if err != nil {
			return err
		}
		if _, _, err := a.site.CLI(0, "--token", strings.TrimSpace(token), "framework", "approve", "corporate@"+version); err != nil {
			return err
		}
	}
	return nil
}

// enforce puts it in force and waits until every API was looked at by it.
func (a *again) enforce(ctx context.Context, version string) (time.Duration, error) {
	begin := time.Now()
	if _, _, err := a.site.CLI(0, "framework", "enforce", "corporate@"+version); err != nil {
		return 0, err
	}
	err := a.seen(ctx, begin, version)
	return time.Since(begin), err
}

// seen waits until the trail says of every API what the gate found by the version.
func (a *again) seen(ctx context.Context, begin time.Time, version string) error {
	apis, after := map[string]bool{}, int64(0)
	for time.Since(begin) < 20*time.Minute && ctx.Err() == nil {
		in := adminapi.QueryAuditRequest{EventSelection: adminapi.EventSelection{Action: "gate.pass"}, EventSpan: adminapi.EventSpan{From: begin.UTC().Format(time.RFC3339Nano)}, After: after, Limit: 500}
		out, err := a.api.QueryAudit(ctx, in)
		if err != nil {
			return err
		}
		for _, e := range out.Body.Items {
			after = e.Number
			for _, d := range e.Change {
				var whole struct{ FrameworkVersion string }
				if json.Unmarshal(d.After, &whole) == nil && whole.FrameworkVersion == version {
					apis[e.Object] = true
				}
			}
		}
		if len(apis) == a.apis {
			return nil
		}
		if out.Body.Next == 0 {
			_ = sleep(ctx, time.Second)
		}
	}
	return fmt.Errorf("%d of %d APIs were looked at in %s", len(apis), a.apis, time.Since(begin).Round(time.Second))
}

// users are people at the management API: twenty requests a second, one of them
// a change.
type users struct {
	stop   context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex // guards took
	took   []time.Duration
	failed atomic.Int64
}

func (a *again) users(ctx context.Context) *users {
	ctx, stop := context.WithCancel(ctx)
	u := &users{stop: stop}
	const connections, rate = 4, 20
	begin := time.Now()
	for c := range connections {
		u.work.Go(func() {
			for n := c; ; n += connections {
				due := begin.Add(time.Duration(n) * time.Second / rate)
				if sleep(ctx, time.Until(due)) != nil {
					return
				}
				err := a.request(context.WithoutCancel(ctx), n)
				took := time.Since(due)
				if err != nil {
					u.failed.Add(1)
					continue
				}
				u.mu.Lock()
				u.took = append(u.took, took)
				u.mu.Unlock()
			}
		})
	}
	return u
}

// request is the n-th: pages of the console, and now and then a change.
func (a *again) request(ctx context.Context, n int) error {
	i := n * 7919 % a.apis
	of := adminapi.VersionPath{Team: estate.Team(i), Name: estate.API(i), Version: "v1"}
	var err error
	switch n % 20 {
	case 19:
		doc := fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":%q,"name":"bench"},"spec":{"title":"number %d"}}`, of.Team, n)
		_, err = a.api.Put(ctx, gatehouse.KindApplication, of.Team, "bench", json.RawMessage(doc), adminapi.Conditional{})
	case 0, 5, 10, 15:
		_, err = a.api.List(ctx, gatehouse.KindAPI, of.Team, adminapi.PageRequest{Limit: 50}, "")
	case 1, 6, 11:
		_, err = a.api.GetStatusAll(ctx, adminapi.StatusRequest{VersionPath: of})
	case 2, 7, 12:
		_, err = a.api.ListGate(ctx, adminapi.ListGateRequest{Team: of.Team, Limit: 50})
	case 3, 8:
		_, err = a.api.QueryAudit(ctx, adminapi.QueryAuditRequest{EventSelection: adminapi.EventSelection{Object: "API " + of.Team + "/" + of.Name}, Limit: 20})
	default:
		_, err = a.api.Get(ctx, gatehouse.KindAPI, of.Team, of.Name, adminapi.GetOptions{})
	}
	return err
}

func (u *users) end() []time.Duration {
	u.stop()
	u.work.Wait()
	slices.Sort(u.took)
	return u.took
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func at(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)*percent/100]
}

func tableAgain(all []*again) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Looking at everything again\n\n%s; load average %s.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "A second framework version of 30 controls (10 lint rules, 18 expressions on each operation, placement, change), worded so that no earlier outcome answers for it, comes in force over %d released APIs of 10 operations. ", all[0].apis)
	b.WriteString("The control plane is a process of its own, and so is PostgreSQL (which does not sync here); 20 requests a second meanwhile, one in twenty a change, counted from when each was due.\n\n")
	b.WriteString("| what | SQLite | PostgreSQL | goal |\n|---|---|---|---|\n")
	line := func(what string, cell func(*again) string, goal string) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", what, cell(all[0]), cell(all[1]), goal)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	line("until the last API was looked at", func(a *again) string { return fmt.Sprintf("%.0f s", a.took.Seconds()) }, "< 600 s for 5,000 APIs")
	for _, p := range []int{50, 99} {
		line(fmt.Sprintf("management API, p%d before", p), func(a *again) string { return ms(at(a.before, p)) }, "")
		line(fmt.Sprintf("management API, p%d meanwhile", p), func(a *again) string {
			return fmt.Sprintf("%s (%.2f times)", ms(at(a.during, p)), float64(at(a.during, p))/float64(cmp.Or(at(a.before, p), 1)))
		}, "≤ 2 times")
	}
	line("requests meanwhile, failed", func(a *again) string { return fmt.Sprintf("%d, %d", len(a.during), a.failed) }, "0 failed")
	return b.String()
}
