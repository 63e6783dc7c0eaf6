// Package linting measures the lint engine beside the Spectral command line,
// on the same documents and the same rules.
package linting

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/bench/results"
)

// samples are the documents; spectral says where Spectral is installed, by
// "npm install --prefix DIR @stoplight/spectral-cli@6.16.3".
const (
	samples  = "../shared/samples/openapi"
	spectral = "GATEHOUSE_SPECTRAL"
)

// files are a small document, two middling ones and the largest sample.
var files = []string{"museum-3.1.yaml", "etcd-rpc.swagger.json", "Xero-OpenAPI-xero_accounting.yaml", "openai-3.1.yaml"}

// Measure is empty where there is no Spectral to compare with. It compares processor time, which other work on the machine does not
// change as much as it changes what a clock says.
func Measure(ctx context.Context, quick bool) (string, error) {
	npm := os.Getenv(spectral)
	if npm == "" {
		fmt.Fprintf(os.Stderr, "bench: lint is left out: %s does not say where Spectral is installed\n", spectral)
		return "", nil
	}
	dir, err := os.MkdirTemp("", "gatehouse-lint-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	all, err := unpack(dir)
	if err != nil {
		return "", err
	}
	rules := filepath.Join(dir, "all.yaml")
	if err := os.WriteFile(rules, []byte("extends: [[\"spectral:oas\", all]]\n"), 0o600); err != nil {
		return "", err
	}
	ours := filepath.Join(dir, "gatehouse")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", ours, "./cmd/gatehouse").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	theirs := filepath.Join(npm, "node_modules/@stoplight/spectral-cli/dist/index.js")
	rounds, largest := 3, len(files)
	if quick {
		rounds, largest, all = 1, len(files)-1, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Lint\n\n%s; load average %s.\n", results.Machine(), results.Load())
	b.WriteString("All rules of spectral:oas, whole processes from start to end, processor time, medians of " + strconv.Itoa(rounds) + "; Spectral is 6.16.3.\n")
	b.WriteString("\"More\" is what a document adds to a process that does nothing but start: a document of three lines.\n\n")
	b.WriteString("| document | Gatehouse | Spectral | times | more, Gatehouse | more, Spectral | times | goal |\n|---|---|---|---|---|---|---|---|\n")
	tiny := filepath.Join(dir, "tiny.yaml")
	if err := os.WriteFile(tiny, []byte("openapi: 3.0.0\ninfo: {title: T, version: '1'}\npaths: {}\n"), 0o600); err != nil {
		return "", err
	}
	works := [][]string{{tiny}}
	for _, f := range files[:largest] {
		works = append(works, []string{filepath.Join(dir, "samples", f)})
	}
	if all != nil {
		works = append(works, all)
	}
	var start [2]time.Duration
	for _, w := range works {
		name := fmt.Sprintf("all %d samples", len(w))
		if len(w) == 1 {
			name = filepath.Base(w[0])
		}
		us, err := median(ctx, rounds, ours, append([]string{"lint", "-o", "json", "--ruleset", rules}, w...)...)
		if err != nil {
			return "", err
		}
		them, err := median(ctx, rounds, "node", append([]string{theirs, "lint", "-q", "-f", "json", "-r", rules}, w...)...)
		if err != nil {
			return "", err
		}
		if start[0] == 0 {
			start = [2]time.Duration{us, them}
			fmt.Fprintf(&b, "| %s | %s | %s | %.0f | | | | ≥ 5 |\n", name, show(us), show(them), ratio(them, us))
			continue
		}
		moreUs, moreThem := max(us-start[0], time.Millisecond), them-start[1]
		fmt.Fprintf(&b, "| %s | %s | %s | %.0f | %s | %s | %.0f | ≥ 5 |\n", name, show(us), show(them), ratio(them, us), show(moreUs), show(moreThem), ratio(moreThem, moreUs))
	}
	gate, err := gate(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "\nAn API of 200 operations and the recommended rules, reading it included, in process: %s (goal: well under 300 ms).\n", show(gate))
	return b.String(), nil
}

// unpack copies the samples into a folder.
func unpack(dir string) (all []string, err error) {
	entries, err := os.ReadDir(samples)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "samples"), 0o700); err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(samples, e.Name()))
		if err != nil {
			return nil, err
		}
		name, packed := strings.CutSuffix(e.Name(), ".gz")
		if packed {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			if data, err = io.ReadAll(z); err != nil {
				return nil, err
			}
		}
		file := filepath.Join(dir, "samples", name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return nil, err
		}
		all = append(all, file)
	}
	return all, nil
}

// median is the processor time of a process. Both exit with 1 when they find
// errors.
func median(ctx context.Context, rounds int, program string, args ...string) (time.Duration, error) {
	var times []time.Duration
	for range rounds {
		c := exec.CommandContext(ctx, program, args...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Run(); err != nil && (c.ProcessState == nil || c.ProcessState.ExitCode() != 1) {
			return 0, fmt.Errorf("%s: %w: %s", program, err, stderr.String())
		}
		times = append(times, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func show(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

var perRun = regexp.MustCompile(`BenchmarkGate\S*\s+\d+\s+(\d+) ns/op`)

// gate quotes the benchmark that stands beside the engine.
func gate(ctx context.Context) (time.Duration, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "./lint", "-run", "^$", "-bench", "^BenchmarkGate$").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	m := perRun.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("no figure in:\n%s", out)
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	return time.Duration(n), err
}
