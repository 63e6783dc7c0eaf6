// Command bench measures what the design makes promises about and writes the
// figures into bench/RESULTS.md, each section between markers of its own, with
// the machine named. Ratios and counts are worth more than absolute times.
//
//	go run ./bench                     all sections, about twenty minutes
//	go run ./bench -only traffic,keys  some of them
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
}

var sections = []section{
	{"apply", apply.Measure},
	{"landscape", landscape.Measure},
	{"keys", keys.Measure},
	{"gate", gate.Measure},
	{"again", gate.MeasureAgain},
	{"rollback", rollback.Measure},
	{"access", quote.Access},
	{"request", quote.Request},
	{"traffic", traffic.Measure},
	{"more", traffic.More},
	{"peers", traffic.Peers},
	{"lint", linting.Measure},
}

func main() {
	if len(os.Args) > 1 && traffic.Role(os.Args[1:]) { // a process of a measurement
		return
	}
	only := flag.String("only", "", "measure these sections alone: apply, landscape, keys, gate, again, rollback, access, request, traffic, more, peers, lint")
	quick := flag.Bool("quick", false, "less of everything; write nothing")
	file := flag.String("file", "bench/RESULTS.md", "where results are written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, s := range sections {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.name) {
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
