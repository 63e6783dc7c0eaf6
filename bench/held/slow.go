package held

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"gatehouse/bench/load"
)

// drips opens connections that say a byte each second, half of them of a head
// and half of a body, and holds on to them until they are cut.
func (p *place) drips(ctx context.Context) ([]row, error) {
	head := "GET " + base + "/small HTTP/1.1\r\nHost: bench\r\nX-Slow: "
	body := "POST " + base + "/echo HTTP/1.1\r\nHost: bench\r\nX-API-Key: " + p.key + "\r\nContent-Length: 100000\r\n\r\n"
	var all sync.WaitGroup
	var mu sync.Mutex
	lasted := map[string][]time.Duration{}
	open := 0
	for i := range p.dripping {
		kind, begin := "head", head
		if i%2 == 1 {
			kind, begin = "body", body
		}
		c, err := p.dial(begin)
		if err != nil {
			return nil, err
		}
		all.Go(func() {
			d, cut := drip(c, p.patience)
			mu.Lock()
			defer mu.Unlock()
			lasted[kind] = append(lasted[kind], d)
			if !cut {
				open++
			}
		})
	}
	calls := p.calls()
	all.Wait()
	times, err := ended(calls)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("%d connections that drip a byte a second: the slowest small call meanwhile, p99", p.dripping),
			fmt.Sprintf("%s, %s", ms(load.Percentile(times, 100)), ms(load.Percentile(times, 99))), "< 1 s"},
		{"until the last of them was cut: heads, bodies",
			fmt.Sprintf("%.1f s, %.1f s", load.Percentile(lasted["head"], 100).Seconds(), load.Percentile(lasted["body"], 100).Seconds()), "≤ 75 s"},
		{"of them still open when the measurement gave up", fmt.Sprint(open), "0"},
	}, ctx.Err()
}

// drip writes a byte each second and tells how long the connection was held.
func drip(c net.Conn, patience time.Duration) (held time.Duration, cut bool) {
	defer c.Close()
	begin := time.Now()
	gone := make(chan struct{})
	go func() { // an answer does not end it, its end does
		defer close(gone)
		for in := make([]byte, 4096); ; {
			if _, err := c.Read(in); err != nil {
				return
			}
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Since(begin) < patience {
		select {
		case <-gone:
			return time.Since(begin), true
		case <-tick.C:
			if _, err := c.Write([]byte("a")); err != nil {
				return time.Since(begin), true
			}
		}
	}
	return time.Since(begin), false
}
