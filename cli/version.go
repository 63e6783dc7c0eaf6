package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *App) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: "admin", Args: exactly(0, "no arguments"),
		Short: "Print the program's version",
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": a.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			return a.show(v, func() table {
				return table{heads: []string{"version", "go", "platform"}, rows: [][]string{{v["version"], v["go"], v["platform"]}}}
			}, func() []string { return []string{v["version"]} })
		},
	}
}

// note says something to a person: on standard error, so that results stay clean.
func (a *App) note(format string, args ...any) { fmt.Fprintf(a.Err, format+"\n", args...) }
