package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestEveryCommandHasAnExample holds that help shows how a command is used: by
// its own name, with flags and arguments that it takes.
func TestEveryCommandHasAnExample(t *testing.T) {
	a := &App{Out: new(bytes.Buffer), Err: new(bytes.Buffer), Getenv: func(string) string { return "" }}
	root := a.root()
	unused := map[string]bool{}
	for path := range examples {
		unused[path] = true
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		delete(unused, strings.TrimPrefix(c.CommandPath(), "gatehouse "))
		if !c.Runnable() || c.Name() == "help" {
			return
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("%s: the example is %q", c.UseLine(), c.Example)
		}
		for line := range strings.Lines(c.Example) {
			works(t, root, strings.TrimSpace(line))
		}
	}
	walk(root)
	for path := range unused {
		t.Errorf("the example for %q is of no command", path)
	}
}

// works reads a line as the shell and the command would, without running it.
func works(t *testing.T, root *cobra.Command, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	line = strings.TrimSuffix(strings.ReplaceAll(line, "'", `"`), `\`)
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " < ")
	line, _, _ = strings.Cut(line, " | ")
	rest, ok := strings.CutPrefix(line, "gatehouse ")
	if !ok {
		return
	}
	var words []string
	for i, part := range strings.Split(rest, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	c, args, err := root.Find(words)
	if err != nil {
		t.Errorf("%q: %v", line, err)
		return
	}
	c.Flags().VisitAll(func(f *pflag.Flag) { f.Changed = false })
	if err := c.ParseFlags(args); err != nil {
		t.Errorf("%q: %v", line, err)
	} else if c.Args != nil {
		if err := c.Args(c, c.Flags().Args()); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}
