package held

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/bench/process"
)

// The soak takes this long in all, and what is held after the first part is
// compared with what is held at its end.
const (
	soakTime = time.Hour
	settled  = 10 * time.Minute
)

// A holding is what a process holds.
type holding struct {
	heap                    int64 // after collecting garbage
	pss                     int64
	goroutines, descriptors int
}

// Soak calls in every manner for an hour: with and without a key, on connections
// that are kept and that are not, with bodies, cut off midway, too slow, while the
// API changes every ten seconds.
func Soak(ctx context.Context, quick bool) (text string, err error) {
	p, err := open(ctx, quick)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	total, first := soakTime, settled
	if quick {
		total, first = 40*time.Second, 20*time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	steady := p.calls()
	var odd, wrong atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.oddities(ctx, &odd, &wrong)
	}()
	time.Sleep(first)
	from, err := holds(p.Gateway, p.Ops)
	if err != nil {
		return "", err
	}
	time.Sleep(total - first)
	to, err := holds(p.Gateway, p.Ops)
	if err != nil {
		return "", err
	}
	cancel()
	<-done
	times, err := ended(steady)
	if err != nil {
		return "", err
	}
	part := func(what string, a, b int64, form func(int64) string) row {
		return row{what, fmt.Sprintf("%s, %s: %+.1f %%", form(a), form(b), 100*float64(b-a)/float64(max(a, 1))), "within 5 %"}
	}
	plain := func(n int64) string { return fmt.Sprint(n) }
	return table("## An hour of everything", fmt.Sprintf("%d small calls at 500/s, none failed; beside them %d of every other kind (no key, no such route, bodies of 64 KiB, a caller that goes away, a new connection each), of which %d were answered otherwise than they should; a change of the API every ten seconds. At %v, and at the end after %v:", len(times), odd.Load(), wrong.Load(), first, total),
		[]row{
			part("heap after collecting", from.heap, to.heap, mib),
			part("PSS", from.pss, to.pss, mib),
			part("goroutines", int64(from.goroutines), int64(to.goroutines), plain),
			part("descriptors", int64(from.descriptors), int64(to.descriptors), plain),
		}), nil
}

func holds(p *process.Process, ops string) (h holding, err error) {
	if h.heap, err = process.Heap(ops); err != nil {
		return h, err
	}
	m, err := p.Memory()
	if err != nil {
		return h, err
	}
	h.pss = m.PSS
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Pid))
	if err != nil {
		return h, err
	}
	h.descriptors = len(fds)
	resp, err := http.Get("http://" + ops + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return h, err
	}
	defer resp.Body.Close()
	_, err = fmt.Fscanf(resp.Body, "goroutine profile: total %d", &h.goroutines)
	return h, err
}

// oddities are the calls that are not small and well-behaved, one after the
// other, some fifty a second, until ctx ends.
func (p *place) oddities(ctx context.Context, made, wrong *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		made.Add(1)
		if n%500 == 0 {
			if err := p.change(n); err != nil {
				wrong.Add(1)
			}
		}
		if !p.oddity(ctx, client, n) && ctx.Err() == nil {
			wrong.Add(1)
		}
	}
}

// oddity makes one such call and tells whether it went as it should.
func (p *place) oddity(ctx context.Context, client *http.Client, n int) bool {
	method, path, key, want := "GET", "/small", p.key, http.StatusOK
	var body []byte
	switch n % 5 {
	case 0:
		key, want = "no key of ours", http.StatusUnauthorized
	case 1:
		path, want = "/nowhere", http.StatusNotFound
	case 2:
		method, path, body = "POST", "/echo", bytes.Repeat([]byte("tray"), 16<<10)
	case 3:
		return p.goesAway()
	}
	r, err := p.request(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("X-API-Key", key)
	resp, err := client.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == want && (body == nil || bytes.Equal(got, body))
}

// goesAway announces a body, sends some of it and leaves.
func (p *place) goesAway() bool {
	c, err := p.dial("POST " + base + "/echo HTTP/1.1\r\nHost: bench\r\nX-API-Key: " + p.key + "\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 5000))
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// change gives the API another summary, which is another revision.
func (p *place) change(n int) error {
	file := filepath.Join(p.Dir, "held", "held.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "  title: Tray") {
			lines[i] = fmt.Sprintf("  title: Tray %d", n)
			break
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		return err
	}
	_, _, err = p.CLI(0, "apply", "-f", filepath.Join(p.Dir, "held"), "--wait", "0")
	return err
}
