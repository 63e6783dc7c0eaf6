package landscape

import (
	"context"
	"time"

	"gatehouse/bench/estate"
	"gatehouse/bench/load"
)

// started is what the gateway is like that starts from its disk alone.
type started struct {
	first []time.Duration // from the start of the process to the first answer of 200
	rest
	max int64 // resident, at its highest
}

// starting kills the control plane for good, and starts the gateway anew again
// and again.
func (m *measurement) starting(context.Context) (err error) {
	m.site.Control.Kill()
	for range m.starts {
		if err := m.site.Gateway.Stop(); err != nil {
			return err
		}
		if err := m.site.StartGateway(""); err != nil {
			return err
		}
		if err := m.site.Gateway.Until(time.Minute, m.answers); err != nil {
			return err
		}
		m.start.first = append(m.start.first, time.Since(m.site.Gateway.Began))
	}
	m.start.rest, err = m.memory()
	m.start.max = m.site.Gateway.HighRSS()
	return err
}

// answers tells whether the last API is served.
func (m *measurement) answers() bool {
	c, err := load.Dial(m.site.Traffic)
	if err != nil {
		return false
	}
	defer c.Close()
	last := m.apis - 1
	a, err := c.Get(estate.Path(last)+"/orders", m.keys[last/estate.PerTeam], "")
	return err == nil && a.Status == 200
}
