package traffic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gatehouse/bench/results"
)

// moreDuration is a round's length: there is much to go through.
const moreDuration = 2 * time.Second

// A trial is one kind of work, and two proxies that do it.
type trial struct {
	work   string
	needs  string // a program besides nginx and wrk
	from   string // the Debian package that has it
	other  contender
	own    contender
	demand demand
	shown  []shown
}

// shown is one figure, and the goals of its ratio at each number of connections.
type shown struct {
	what  string
	of    figure
	form  string // of fmt, with the unit
	goals []goal
}

var (
	rates  = shown{"requests/s", rateOf, "%.0f", nil}
	plain  = wrk("http", script)
	secure = wrk("https", script)
	tokenA = wrk("http", repeatedTokens)
)

// cpu is what CPU 10,000 requests take, with these goals.
func cpu(goals ...goal) shown { return shown{"CPU for 10,000", cpuOf, "%.0f ms", goals} }

var trials = []trial{
	{work: "TLS, HTTP/1.1", other: contender{"nginx", "tls", nginx("tls")}, own: contender{"Gatehouse", "tls", own("tls")},
		demand: demand{"backend", []int{32}, secure, secure}, shown: []shown{cpu(most(1.8)), rates}},
	{work: "TLS, HTTP/2", needs: "h2load", from: "nghttp2-client",
		other: contender{"nginx", "h2", nginx("tls")}, own: contender{"Gatehouse", "h2", own("tls")},
		demand: demand{"backend", []int{32}, h2load, h2load}, shown: []shown{cpu(most(2.5)), rates}},
	{work: "answers of 10 KiB", other: contender{"nginx", "10k", nginx("plain")}, own: contender{"Gatehouse", "10k", own("plain")},
		demand: demand{"backend10k", []int{32, 256}, plain, plain}, shown: []shown{cpu(most(2), most(2.3)), rates}},
	{work: "JWT RS256, 1,000 tokens again and again", needs: "haproxy", from: "haproxy",
		other: contender{"HAProxy", "jwt", haproxy}, own: contender{"Gatehouse", "jwt", own("jwt")},
		demand: demand{"backend", []int{32}, tokenA, tokenA}, shown: []shown{cpu(most(0.9)), rates}},
	{work: "JWT RS256, every token new", needs: "haproxy", from: "haproxy",
		other: contender{"HAProxy", "jwt new", haproxy}, own: contender{"Gatehouse", "jwt new", own("jwt")},
		demand: demand{"backend", []int{32}, tokenA, wrk("http", newTokens)}, shown: []shown{cpu(most(1.6))}},
	{work: "apim at 2,500/s", other: contender{"nginx", "paced", nginx("apim")}, own: contender{"Gatehouse", "paced", own("apim")},
		demand: demand{"backend", []int{16}, plain, paced}, shown: []shown{{"p50", p50Of, "%.2f ms", []goal{most(1.5)}}, {"p99", p99Of, "%.2f ms", []goal{most(1.8)}}}},
}

// More measures the kinds of work that Measure leaves out.
func More(ctx context.Context, quick bool) (string, error) {
	if !installed("nginx") || !installed("wrk") {
		return "", errors.New("nginx and wrk are needed; on Debian: apt-get install nginx-light wrk")
	}
	dir, err := workDir()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := writeCert(dir); err != nil {
		return "", err
	}
	if err := writeTokens(dir, tokens); err != nil {
		return "", err
	}
	n := rounds
	if quick {
		n = 1
	}
	all := map[string][]sample{}
	for range n {
		for _, t := range trials {
			if t.missing() {
				continue
			}
			for _, c := range []contender{t.other, t.own} {
				if err := c.measure(ctx, dir, moreDuration, t.demand, all); err != nil {
					return "", err
				}
			}
		}
	}
	return moreTable(all, n), nil
}

func (t *trial) missing() bool { return t.needs != "" && !installed(t.needs) }

func moreTable(all map[string][]sample, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Traffic of other kinds\n\n%s; load average while measuring %s, of which this bench makes about 2.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "One core for the proxy, one for load and backend; medians of %d rounds of %v, ratios within a round. ", n, moreDuration)
	b.WriteString("Both proxies have the same certificate (P-256) and TLS_AES_128_GCM_SHA256; HTTP/2 has one request at a time on a connection. ")
	b.WriteString("HAProxy, as the gateway, checks a token's algorithm, signature, issuer and end. Times at 2,500/s are counted from when a request was due.\n\n")
	b.WriteString("| work | figure | connections | Gatehouse | beside | ratio | goal |\n|---|---|---|---|---|---|---|\n")
	for _, t := range trials {
		if t.missing() {
			fmt.Fprintf(&b, "| %s | not measured: %s is needed; on Debian: apt-get install %s | | | | | |\n", t.work, t.needs, t.from)
			continue
		}
		for i, conns := range t.demand.connections {
			for _, f := range t.shown {
				t.row(&b, all, i, conns, f)
			}
		}
	}
	return b.String()
}

func (t *trial) row(b *strings.Builder, all map[string][]sample, i, conns int, f shown) {
	own, other := all[key(t.own.name, t.own.work, conns)], all[key(t.other.name, t.other.work, conns)]
	ratio := median(each(own, other, f.of))
	var g goal
	if i < len(f.goals) {
		g = f.goals[i]
	}
	middle := func(s []sample) string { return fmt.Sprintf(f.form, median(each(s, nil, f.of))) }
	fmt.Fprintf(b, "| %s | %s | %d | %s | %s: %s | %.2f | %s |\n", t.work, f.what, conns, middle(own), t.other.name, middle(other), ratio, g.against(ratio))
}
