// Command bench measures what the design makes promises about and writes the
// figures into bench/RESULTS.md, each section between markers of its own, with
// the machine named. Ratios and counts are worth more than absolute times.
//
//	go run ./bench                     all sections, about twenty minutes
//	go run ./bench -only traffic,keys  some of them
//	go run ./bench -only soak          an hour, which is done when asked for alone
//	go run ./bench -quick              less of everything, nothing written
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"gatehouse/bench/apply"
	"gatehouse/bench/gate"
	"gatehouse/bench/held"
	"gatehouse/bench/keys"
	"gatehouse/bench/landscape"
	"gatehouse/bench/linting"
	"gatehouse/bench/quote"
	"gatehouse/bench/results"
	"gatehouse/bench/rollback"
	"gatehouse/bench/traffic"
)

// A section measures one thing and returns it as Markdown.
type section struct {
	name string
	run  func(ctx context.Context, quick bool) (string, error)
	long bool // measured only when named
}

var sections = []section{
	{name: "apply", run: apply.Measure},
	{name: "landscape", run: landscape.Measure},
	{name: "keys", run: keys.Measure},
	{name: "gate", run: gate.Measure},
	{name: "again", run: gate.MeasureAgain},
	{name: "rollback", run: rollback.Measure},
	{name: "access", run: quote.Access},
	{name: "request", run: quote.Request},
	{name: "traffic", run: traffic.Measure},
	{name: "more", run: traffic.More},
	{name: "peers", run: traffic.Peers},
	{name: "held", run: held.Measure},
	{name: "soak", run: held.Soak, long: true},
	{name: "lint", run: linting.Measure},
}

func main() {
	if len(os.Args) > 1 && traffic.Role(os.Args[1:]) { // a process of a measurement
		return
	}
	only := flag.String("only", "", "measure these sections alone: apply, landscape, keys, gate, again, rollback, access, request, traffic, more, peers, held, soak, lint")
	quick := flag.Bool("quick", false, "less of everything; write nothing")
	file := flag.String("file", "bench/RESULTS.md", "where results are written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, s := range sections {
		if *only == "" && s.long || *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
			continue
		}
		text, err := s.run(ctx, *quick)
		if err == nil && !*quick && text != "" {
			err = results.Write(*file, s.name, text)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: measuring %s: %v\n", s.name, err)
			os.Exit(1)
		}
		fmt.Println(text)
	}
}
