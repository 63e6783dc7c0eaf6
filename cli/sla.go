package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) sla() *cobra.Command {
	c := &cobra.Command{Use: "sla", GroupID: "watch", Short: "See whether service levels are kept"}
	c.AddCommand(a.slaReport())
	return c
}

func (a *App) slaReport() *cobra.Command {
	in := adminapi.PromisesRequest{}
	c := &cobra.Command{
		Use: "report", Short: "Tell whether what plans and APIs promise was kept", Args: exactly(0, "no arguments but flags"),
		Long: `Tell whether what plans and APIs promise was kept, in a calendar month or a rolling window.
Requests answered with a 5xx fail, whoever gave it; a request turned down with a 4xx is
served, and one whose caller left does not count. Latency is known within 5 %; promises at
round numbers such as 50ms, 200ms or 1.5s are decided exactly.`,
		Example: "  gatehouse sla report --team payments --month 2026-11\n  gatehouse sla report --app billing/invoices --window 7d",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetServiceLevelsAll, in)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.note("from %s to %s UTC", when(out.Body.From), when(out.Body.To))
				if len(out.Body.Items) == 0 {
					a.note("%s; a plan or an API promises by such as sla: {availability: 99.9, latency: {p95: 200ms}}", out.Body.Note)
					return nil
				}
			}
			defer a.slaWhy(out.Body.Items)
			return a.show(out.Body, func() table { return slaTable(out.Body.Items) }, func() []string {
				var names []string
				for i := range out.Body.Items {
					names = append(names, promiseName(&out.Body.Items[i]))
				}
				return names
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Team, "team", "", "team that promises")
	f.StringVar(&in.API, "api", "", "API, TEAM/NAME")
	f.StringVar(&in.Plan, "plan", "", "plan, TEAM/PRODUCT/PLAN")
	f.StringVar(&in.Application, "app", "", "what its plans promise this application, TEAM/NAME")
	f.StringVar(&in.Environment, "env", "", "only this environment")
	f.StringVar(&in.Month, "month", "", "calendar month, UTC, such as 2026-11; default the one that runs")
	f.StringVar(&in.Window, "window", "", "1h, 6h, 24h, 7d or 30d, instead of a month")
	return c
}

// slaWhy says below the table why nothing was measured.
func (a *App) slaWhy(list []adminapi.PromiseItem) {
	for i := range list {
		if s := &list[i]; a.output == "table" && s.Why != "" {
			a.note("%s: %s", promiseName(s), s.Why)
		}
	}
}

func promiseName(s *adminapi.PromiseItem) string {
	if s.Kind == "api" {
		return s.API
	}
	return s.Product + "/" + s.Plan
}

func slaTable(list []adminapi.PromiseItem) table {
	t := table{heads: []string{"promise", "env", "requests", "failed", "availability", "budget left", "burn 1h/6h/24h/7d/30d", "latency", "support"}}
	for i := range list {
		s := &list[i]
		available, budget := "", ""
		if v := s.Availability; v != nil {
			available = fmt.Sprintf("%s %.4g of %.4g %%", v.Verdict, v.Measured, v.Promised)
			if v.Verdict == "no data" {
				available = v.Verdict
			}
			if v.Budget != nil {
				budget = fmt.Sprintf("%.1f %%", *v.Budget)
			}
		}
		t.add(promiseName(s), s.Environment, fmt.Sprint(s.Counted), fmt.Sprint(s.Failed), available, budget, burnText(s.Burn), latencyText(s.Latency), supportText(s.Support))
	}
	return t
}

func burnText(burn map[string]float64) string {
	if len(burn) == 0 {
		return ""
	}
	var parts []string
	for _, w := range []string{"1h", "6h", "24h", "7d", "30d"} {
		if b, ok := burn[w]; ok {
			parts = append(parts, fmt.Sprintf("%.3g", b))
		} else {
			parts = append(parts, "-")
		}
	}
	return strings.Join(parts, "/")
}

func latencyText(list []adminapi.LatencyLevel) string {
	var parts []string
	for _, l := range list {
		text := fmt.Sprintf("p%d %s", l.Percent, l.Verdict)
		switch {
		case l.Verdict == "no data":
		case l.UpTo == "":
			text += " over " + l.Over + " of " + l.Promised
		default:
			text += " " + l.Over + ".." + l.UpTo + " of " + l.Promised
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func supportText(s *adminapi.SupportLevel) string {
	if s == nil {
		return ""
	}
	return "first response " + tallyText(s.FirstResponse) + "; resolution " + tallyText(s.Resolution)
}

func tallyText(k adminapi.SupportTally) string {
	text := fmt.Sprintf("%d met, %d missed", k.Met, k.Missed)
	if k.Running > 0 {
		text += fmt.Sprintf(", %d open", k.Running)
	}
	return text
}
