// Package results keeps the page of measured figures: one section for each
// thing measured, replaced whole when it is measured again.
package results

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// Write replaces the section called name in the page at path, or appends it.
func Write(path, name, text string) error {
	page, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(page) == 0 {
		page = []byte("# Results\n\nWritten by `make bench`.\n")
	}
	return os.WriteFile(path, []byte(replace(string(page), name, text)), 0o644)
}

// replace puts text between the markers of name.
func replace(page, name, text string) string {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
	section := begin + strings.TrimSpace(text) + "\n" + end
	i := strings.Index(page, begin)
	j := strings.Index(page, end)
	if i < 0 || j < i {
		return strings.TrimRight(page, "\n") + "\n\n" + section
	}
	return page[:i] + section + page[j+len(end):]
}

// Machine names what the figures were measured on.
func Machine() string {
	return fmt.Sprintf("%d × %s, %s memory, %s, %s/%s", runtime.NumCPU(), field("/proc/cpuinfo", "model name"),
		memory(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Load is the load average over a minute and over five: what is measured while
// other programs want the same cores is worth less, and should say so.
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); err == nil && len(f) > 2 {
		return f[0] + " (1 min), " + f[1] + " (5 min)"
	}
	return "unknown"
}

func memory() string {
	var kib int
	fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib)
	return fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
}

// field reads "name : value" from a file of such lines.
func field(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}
