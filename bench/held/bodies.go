package held

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"gatehouse/bench/process"
)

// bodies sends a large body there and back, and asks for one that it does not
// take.
func (p *place) bodies(ctx context.Context) ([]row, error) {
	from := p.Gateway.RSS()
	most := watch(p.Gateway)
	err := p.thereAndBack(ctx)
	high := most()
	if err != nil {
		return nil, err
	}
	drawn, err := p.notTaken(ctx)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("a body of %s there and back: resident memory added at most", mib(p.body)), mib(max(0, high-from)), "≤ 64 MiB"},
		{"a caller that takes nothing of such an answer: drawn from the backend, kernel's buffers with it", mib(drawn), "≤ 24 MB"},
	}, nil
}

func (p *place) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.Traffic+base+path, body)
	if err == nil {
		r.Header.Set("X-API-Key", p.key)
	}
	return r, err
}

func (p *place) thereAndBack(ctx context.Context) error {
	r, err := p.request(ctx, "POST", "/echo", io.LimitReader(zeros{}, p.body))
	if err != nil {
		return err
	}
	r.ContentLength = p.body
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || n != p.body) {
		return fmt.Errorf("status %d with %d bytes, want %d", resp.StatusCode, n, p.body)
	}
	return err
}

// notTaken is how much the backend gives while its answer is not read.
func (p *place) notTaken(ctx context.Context) (int64, error) {
	p.backend.length.Store(p.body)
	c, err := p.dial("GET " + base + "/large HTTP/1.1\r\nHost: bench\r\nX-API-Key: " + p.key + "\r\n\r\n")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for last := int64(-1); last != p.backend.gave.Load(); {
		last = p.backend.gave.Load()
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return p.backend.gave.Load(), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// watch reads a process's resident size until it is asked for the most.
func watch(p *process.Process) (most func() int64) {
	stop, out := make(chan struct{}), make(chan int64)
	go func() {
		var high int64
		for tick := time.Tick(5 * time.Millisecond); ; {
			high = max(high, p.RSS())
			select {
			case <-tick:
			case <-stop:
				out <- high
				return
			}
		}
	}()
	return func() int64 { close(stop); return <-out }
}
