package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse"
)

// forms are what -o takes.
var forms = []string{"table", "json", "yaml", "name"}

// strict makes every command below c misused in one way: exit status 2, one
// sentence, and what was probably meant.
func (a *App) strict(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args[0])
		}
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				if _, ok := err.(exit); ok {
					return err
				}
				return misuse("%s: %w; see \"%s --help\"", c.CommandPath(), err, c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		a.strict(sub)
	}
}

func unknownCommand(c *cobra.Command, name string) error {
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	if near := gatehouse.Nearest(name, known); near != "" {
		return misuse("%s has no command %q; did you mean %q?", c.CommandPath(), name, near)
	}
	return misuse("%s has no command %q; see \"%s --help\"", c.CommandPath(), name, c.CommandPath())
}

// verbOrNone is for a noun that does something without a verb.
func verbOrNone(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(c, args[0])
}

// wrongFlag says which flag was probably meant.
func wrongFlag(c *cobra.Command, err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := gatehouse.Nearest(name, known); near != "" {
			return misuse("%s has no flag --%s; did you mean --%s?", c.CommandPath(), name, near)
		}
		return misuse("%s has no flag --%s; see \"%s --help\"", c.CommandPath(), name, c.CommandPath())
	}
	return misuse("%w; see \"%s --help\"", err, c.CommandPath())
}

// form refuses a form of output that there is none of before anything is done.
func (a *App) form(*cobra.Command, []string) error {
	if !slices.Contains(forms, a.output) {
		return misuse("%q is not a form of output: table, json, yaml or name will do", a.output)
	}
	return nil
}

// helpCommand is cobra's, but that an unknown topic is misuse.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND…]", GroupID: "admin", Short: "Print the help of a command",
		RunE: func(c *cobra.Command, args []string) error {
			at := c.Root()
			for _, name := range args {
				i := slices.IndexFunc(at.Commands(), func(s *cobra.Command) bool { return s.Name() == name || s.HasAlias(name) })
				if i < 0 {
					return unknownCommand(at, name)
				}
				at = at.Commands()[i]
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// between is cobra.RangeArgs with our words.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return misuse("%s takes %s; see \"%s --help\"", c.CommandPath(), what, c.CommandPath())
		}
		return nil
	}
}

// done tells what was done where there is no more to show: a note to people, a
// value to programs.
func (a *App) done(value any, name, format string, args ...any) error {
	if a.output == "table" {
		a.note("%s", fmt.Sprintf(format, args...))
		return nil
	}
	return a.show(value, nil, func() []string { return []string{name} })
}
