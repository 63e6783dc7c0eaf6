package held

import (
	"context"
	"fmt"
	"time"

	"gatehouse/bench/load"
)

// idles holds connections that made one call and then nothing.
func (p *place) idles(ctx context.Context) ([]row, error) {
	before, err := p.calm(p.pace)
	if err != nil {
		return nil, err
	}
	from, err := p.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	for range p.idle {
		c, err := load.Dial(p.Traffic)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		if _, err := c.Get(base+"/small", p.key, ""); err != nil {
			return nil, err
		}
	}
	meanwhile, err := p.calm(p.idleFor)
	if err != nil {
		return nil, err
	}
	to, err := p.Gateway.Memory()
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("%d connections that each made a call, idle for %v: memory (PSS) each", p.idle, p.idleFor),
			fmt.Sprintf("%.1f KiB", float64(to.PSS-from.PSS)/float64(p.idle)/1024), "≤ 40 KiB"},
		{"small calls at 500/s, p99: before, meanwhile",
			fmt.Sprintf("%s, %s", ms(load.Percentile(before, 99)), ms(load.Percentile(meanwhile, 99))), "not slower"},
	}, ctx.Err()
}

// calm is how long small calls take over a while.
func (p *place) calm(d time.Duration) ([]time.Duration, error) {
	r := p.calls()
	time.Sleep(d)
	return ended(r)
}
