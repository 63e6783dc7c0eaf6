package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descSeq    = prometheus.NewDesc("gatehouse_store_seq", "Number of the newest change in the store.", nil, nil)
	descEvents = prometheus.NewDesc("gatehouse_audit_events_total", "Events in the audit trail.", nil, nil)
	descUp     = prometheus.NewDesc("gatehouse_store_up", "1 when the store answers.", nil, nil)
)

// Describe implements prometheus.Collector.
func (p *process) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSeq, descEvents, descUp} {
		to <- d
	}
}

// Collect implements prometheus.Collector: the store's state, and the
// gateway's counters where there is one.
func (p *process) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	head, err := p.ctl.DB.Head(ctx)
	up := 1.0
	if err != nil {
		up = 0
	} else {
		to <- prometheus.MustNewConstMetric(descSeq, prometheus.GaugeValue, float64(head.Seq))
		to <- prometheus.MustNewConstMetric(descEvents, prometheus.CounterValue, float64(head.Event))
	}
	to <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up)
	if i := p.instance.Load(); i != nil {
		i.Gateway.Collector().Collect(to)
	}
}
