package traffic

import (
	"fmt"
	"strings"
)

// A goal is a ratio that is to hold.
type goal struct {
	bound float64 // 0: none was set
	least bool    // at least the bound, rather than at most
}

func most(v float64) goal  { return goal{bound: v} }
func least(v float64) goal { return goal{bound: v, least: true} }

// against says the goal, and whether got misses it. Ratios are compared as they
// are shown, to a hundredth.
func (g goal) against(got float64) string {
	if g.bound == 0 {
		return ""
	}
	sign, missed := "≤", got > g.bound+0.005
	if g.least {
		sign, missed = "≥", got < g.bound-0.005
	}
	text := fmt.Sprintf("%s %g", sign, g.bound)
	if missed {
		text += ", missed"
	}
	return text
}

// verdict is that of the gateway's own rows: CPU, and requests/s where that has a goal.
func (c *contender) verdict(conns int, cpu, rate float64) string {
	if c.name != "Gatehouse" {
		return ""
	}
	i := 0
	if conns > 32 {
		i = 1
	}
	all := []string{"CPU " + [2]goal{most(1.7), most(2)}[i].against(cpu)}
	if c.work == "plain" {
		all = append(all, "requests/s "+[2]goal{least(0.6), least(0.5)}[i].against(rate))
	}
	return strings.Join(all, "; ")
}
