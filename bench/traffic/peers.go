package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gatehouse/bench/results"
)

// A peer is what users would pick instead.
type peer struct {
	contender
	needs string // its program
	goal  goal   // how many times its requests/s the gateway is to answer
}

// peers are measured as far as they are installed. Traefik's program is what its own
// module builds from ./cmd/traefik.
var peers = []peer{
	{contender{"Traefik", "plain", traefik("plain")}, "traefik", goal{}},
	{contender{"Traefik", "apim", traefik("apim")}, "traefik", least(3)},
}

// Peers measures the gateway and its peers in the same rounds.
func Peers(ctx context.Context, quick bool) (string, error) {
	if !installed("wrk") {
		return "", errors.New("wrk is needed; on Debian: apt-get install wrk")
	}
	dir, err := workDir()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	n, d := rounds, duration
	if quick {
		n, d = 1, duration
	}
	here := slices.Clone(peers)
	here = slices.DeleteFunc(here, func(p peer) bool { return !installed(p.needs) })
	if len(here) == 0 {
		return "", nil // what is not installed is not measured, and its last figures stay
	}
	all := map[string][]sample{}
	for range n {
		for _, p := range here {
			us := contender{"Gatehouse", p.work, own(p.work)}
			for _, c := range []*contender{&us, &p.contender} {
				if err := c.measure(ctx, dir, d, usual, all); err != nil {
					return "", err
				}
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Beside what users would pick instead\n\n%s; load average while measuring %s, of which this bench makes about 2.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "As in the section on traffic, in turn with the gateway, medians of %d rounds of %v. Traefik runs its experimental faster proxy half, and in \"apim\" does not ask whether a key is known: the open version cannot.\n\n", n, d)
	b.WriteString("| work | peer | connections | CPU for 10,000: Gatehouse, peer | times less | requests/s: Gatehouse, peer | times more | p99 of theirs | goal |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range here {
		for _, conns := range connections {
			us, them := all[key("Gatehouse", p.work, conns)], all[key(p.name, p.work, conns)]
			more := median(each(us, them, rateOf))
			fmt.Fprintf(&b, "| %s | %s | %d | %.0f, %.0f ms | %.1f | %.0f, %.0f | %.1f | %.2f | %s |\n", p.work, p.name, conns, median(each(us, nil, cpuOf)), median(each(them, nil, cpuOf)),
				median(each(them, us, cpuOf)), median(each(us, nil, rateOf)), median(each(them, nil, rateOf)), more, median(each(us, them, p99Of)), p.goal.against(more))
		}
	}
	return b.String(), nil
}
