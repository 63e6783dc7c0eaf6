// Package quote runs measurements that stand beside the code they measure, as
// benchmarks and tests of its package, and quotes what they say.
package quote

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"gatehouse/bench/results"
)

// Access quotes what a decision about access costs among a million assignments.
func Access(ctx context.Context, _ bool) (string, error) {
	out, err := run(ctx, "./control/access", "^TestMillionAssignmentsInMemory$", "^BenchmarkCanMillion$")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Access\n\n%s; load average %s.\n", results.Machine(), results.Load())
	b.WriteString("1,000,000 assignments of 100,000 users in 5,000 groups, each user in ten.\n\n| what | measured | goal |\n|---|---|---|\n")
	p50, p99, err := two(out, `([\d.]+) p50-ns`, `([\d.]+) p99-ns`)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "| one decision, p50 / p99 | %.1f µs / %.1f µs | p99 < 20 µs |\n", p50/1000, p99/1000)
	added, after, err := two(out, `(\d+) MB added`, `(\d+) MB after changes`)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "| memory added: loaded / after 200,000 changes | %.0f MiB / %.0f MiB | < 400 MB |\n", added, after)
	return b.String(), nil
}

// Request quotes how often a request allocates. It is a count, so that it is
// held by a test; the benchmark's has the caller and the backend in it.
func Request(ctx context.Context, _ bool) (string, error) {
	out, err := run(ctx, "./gateway", "^TestAllocations$", "^BenchmarkRequest$")
	if err != nil {
		return "", err
	}
	plain, apim, err := two(out, `([\d.]+) allocations`, `([\d.]+) allocs/op`)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Allocations\n\n%s.\n\n| what | measured | goal |\n|---|---|---|\n", results.Machine())
	fmt.Fprintf(&b, "| a request without policies (held by a test) | %.0f | ≤ 40 |\n", plain)
	fmt.Fprintf(&b, "| a request with key, plan, limit and counts, caller and backend in it | %.0f | ≤ 40 |\n", apim)
	return b.String(), nil
}

// run runs a test and a benchmark of a package.
func run(ctx context.Context, pkg, test, bench string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "test", pkg, "-v", "-run", test, "-bench", bench, "-benchmem", "-timeout", "5m").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return string(out), nil
}

func two(out, first, second string) (a, b float64, err error) {
	for at, pattern := range map[*float64]string{&a: first, &b: second} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(out)
		if m == nil {
			return 0, 0, fmt.Errorf("nothing matches %s in:\n%s", pattern, out)
		}
		if _, err := fmt.Sscan(m[1], at); err != nil {
			return 0, 0, err
		}
	}
	return a, b, nil
}
