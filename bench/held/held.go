package held

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/load"
	"gatehouse/bench/results"
	"gatehouse/bench/site"
)

// A size is how much is done.
type size struct {
	idle     int
	idleFor  time.Duration
	dripping int
	patience time.Duration // until a dripping connection should be cut
	body     int64
	pace     time.Duration // of calm calls, before and during
}

var (
	full  = size{10_000, time.Minute, 300, 90 * time.Second, 128 << 20, 10 * time.Second}
	short = size{500, 3 * time.Second, 20, 90 * time.Second, 16 << 20, 2 * time.Second}
)

// A row is one line of the table.
type row struct{ what, measured, goal string }

// A place is an installation with one API in front of the backend of this package.
type place struct {
	*site.Site
	size
	backend *backend
	key     string
}

const (
	base     = "/held/tray/v1"
	bodyKind = "application/octet-stream"
)

const documents = `apiVersion: gatehouse/v1
kind: Team
metadata: {name: held}
spec: {title: Held}
---
apiVersion: gatehouse/v1
kind: Application
metadata: {team: held, name: caller}
spec: {title: Caller}
---
apiVersion: gatehouse/v1
kind: API
metadata: {team: held, name: tray}
spec:
  title: Tray
  versions:
    - {name: v1, lifecycle: published, definition: ./tray.openapi.yaml, path: /held/tray/v1, backend: tray}
---
apiVersion: gatehouse/v1
kind: Product
metadata: {team: held, name: tray}
spec:
  title: Tray
  apis: [tray]
  plans:
    - {name: gold, approval: automatic, rateLimit: {requests: 1000000, per: 1s}}
---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: held, name: tray}
spec: {environments: {dev: {targets: [{url: %q}]}}}
`

const definition = `openapi: 3.0.3
info: {title: Tray, version: 1.0.0}
paths:
  /small:
    get: {operationId: small, responses: {"200": {description: A little.}}}
  /large:
    get: {operationId: large, responses: {"200": {description: A lot.}}}
  /echo:
    post: {operationId: echo, responses: {"200": {description: What was sent.}}}
`

// Measure runs everything but the soak and returns a table.
func Measure(ctx context.Context, quick bool) (text string, err error) {
	p, err := open(ctx, quick)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	var all []row
	for _, step := range []struct {
		name string
		run  func(context.Context) ([]row, error)
	}{{"idle connections", p.idles}, {"dripping connections", p.drips}, {"bodies", p.bodies}} {
		rows, err := step.run(ctx)
		if err != nil {
			return "", fmt.Errorf("%s: %w", step.name, err)
		}
		all = append(all, rows...)
	}
	return table("## Held", "A gateway with its defaults, one API behind a product; every call has a key. Callers and backend share both cores with it.", all), nil
}

func table(title, about string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s; load average %s.\n%s\n\n| what | measured | goal |\n|---|---|---|\n", title, results.Machine(), results.Load(), about)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.what, r.measured, r.goal)
	}
	return b.String()
}

func open(ctx context.Context, quick bool) (p *place, err error) {
	p = &place{size: full, backend: new(backend)}
	if quick {
		p.size = short
	}
	if p.Site, err = site.New(); err != nil {
		return nil, err
	}
	server := httptest.NewServer(p.backend)
	p.backend.server = server
	if err := p.fill(ctx, server.URL); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *place) close() error {
	err := p.Site.Close()
	p.backend.server.CloseClientConnections()
	p.backend.server.Close()
	return err
}

// fill makes the API and a key for it.
func (p *place) fill(ctx context.Context, backend string) error {
	if err := p.StartControl(true); err != nil {
		return err
	}
	if err := p.Platform(); err != nil {
		return err
	}
	if err := p.Join(); err != nil {
		return err
	}
	dir := filepath.Join(p.Dir, "held")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"tray.openapi.yaml": definition, "held.yaml": fmt.Sprintf(documents, backend)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if _, _, err := p.CLI(0, "apply", "-f", dir, "--wait", "30s"); err != nil {
		return err
	}
	api, err := p.Client()
	if err != nil {
		return err
	}
	var in adminapi.SubscribeRequest
	in.Body.Product, in.Body.Plan, in.Body.Environment, in.Body.Key = "held/tray", "gold", "dev", true
	in.Body.Application = "held/caller"
	out, err := api.Subscribe(ctx, in)
	if err != nil {
		return err
	}
	p.key = out.Body.Key
	return p.served()
}

// served waits until the key opens the API.
func (p *place) served() error {
	for range 500 {
		if status, err := p.once(); err == nil && status == http.StatusOK {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the gateway does not serve the API")
}

// once makes one call on a connection of its own.
func (p *place) once() (status int, err error) {
	c, err := load.Dial(p.Traffic)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	a, err := c.Get(base+"/small", p.key, "")
	return a.Status, err
}

// calls is a steady load of small calls.
func (p *place) calls() *load.Run {
	return load.Load{Addr: p.Traffic, Rate: 500, Conn: 8, Next: func(int) (string, string) { return base + "/small", p.key }}.Start()
}

// ended ends a load of which no call may fail.
func ended(r *load.Run) ([]time.Duration, error) {
	samples, failed := r.Stop()
	if len(failed) > 0 {
		return nil, fmt.Errorf("%d of %d calls failed, the first: %s", len(failed), len(samples)+len(failed), failed[0])
	}
	return load.Times(samples), nil
}

// dial connects to the gateway and sends what a connection begins with.
func (p *place) dial(begin string) (net.Conn, error) {
	c, err := net.Dial("tcp", p.Traffic)
	if err == nil && begin != "" {
		_, err = c.Write([]byte(begin))
	}
	return c, err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
