// Package cli is the command line: one command, one file, help first.
//
// Commands talk through package client only and read files through package
// bundle, so whatever a person does here a pipeline can do too. Server roles
// (serve, control, gateway) are wired in cmd/gatehouse and handed in.
//
// Results go to standard output, everything else to standard error. Exit
// status: 0 done, 1 refused or failed, 2 misused or, for plan, changes pending.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/client"
)

// An App is one run of the program.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Version  string

	address, token, data, context, ca string // global flags
	output                            string // table, json, yaml, name
}

// An exit carries a status that is not 1.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// misuse is an error of the command line itself.
func misuse(format string, args ...any) error { return exit{2, fmt.Errorf(format, args...)} }

// Main runs the program and returns its exit status. The extra commands are
// the server roles.
func Main(version string, args []string, extra ...func(*App) *cobra.Command) int {
	a := &App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Version: version}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return a.Run(ctx, args, extra...)
}

// Run runs one command line.
func (a *App) Run(ctx context.Context, args []string, extra ...func(*App) *cobra.Command) int {
	root := a.root()
	for _, make := range extra {
		root.AddCommand(make(a))
	}

	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.InitDefaultCompletionCmd(args...)
	prelude(root)
	a.complete(root)
	a.strict(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code := 1
	if e, ok := errors.AsType[exit](err); ok {
		code = e.code
	}
	if err.Error() != "" {
		a.explain(err)
	}
	return code
}

// explain prints an error: one sentence with what would help, or the faults one
// by one.
func (a *App) explain(err error) {
	e, ok := errors.AsType[*gatehouse.Error](err)
	if ok && len(e.Faults) > 1 && e.Kind == gatehouse.Invalid { // of others the sentence says what is meant
		for _, f := range e.Faults {
			fmt.Fprintln(a.Err, f)
		}
		fmt.Fprintf(a.Err, "gatehouse: %d faults\n", len(e.Faults))
		return
	}
	fmt.Fprintf(a.Err, "gatehouse: %v%s\n", err, advice(err))
}

// advice says what would help, where the error does not say so itself.
func advice(err error) string {
	_, unreached := errors.AsType[*client.Unreached](err)
	switch {
	case unreached:
		return `; is it running? start it with "gatehouse serve", or say where it is with --address or GATEHOUSE_ADDR`
	case gatehouse.Is(err, gatehouse.Unauthenticated):
		return `; give a token with --token or GATEHOUSE_TOKEN, or --data DIR of a server on this machine, or run "gatehouse login"`
	}
	return ""
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Expose, protect, govern and watch all APIs, in every cloud",
		Long: `Gatehouse is one program with which an enterprise runs all of its APIs from one
place. "gatehouse serve --demo" shows it at work in a minute; "gatehouse serve"
starts it in earnest; every other command talks to such a server.`,
		SilenceErrors: true, SilenceUsage: true,
		Version: a.Version,
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentPreRunE = a.form
	root.SetHelpCommand(helpCommand())
	root.SetCompletionCommandGroupID("admin")
	f := root.PersistentFlags()
	f.StringVar(&a.address, "address", "", "management API to talk to, such as http://127.0.0.1:9080 (GATEHOUSE_ADDR)")
	f.StringVar(&a.token, "token", "", "token to show; better in GATEHOUSE_TOKEN than on the command line")
	f.StringVar(&a.data, "data", "", "data directory of a server on this machine (GATEHOUSE_DATA, default ./gatehouse-data)")
	f.StringVar(&a.ca, "ca", "", "PEM file: authority of the server's certificate (GATEHOUSE_CA)")
	f.StringVar(&a.context, "context", "", "saved context to use")
	f.StringVarP(&a.output, "output", "o", "table", "table, json, yaml or name")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "files", Title: "Files:"},
		&cobra.Group{ID: "objects", Title: "Objects:"},
		&cobra.Group{ID: "expose", Title: "Expose and use:"},
		&cobra.Group{ID: "watch", Title: "Watch and prove:"},
		&cobra.Group{ID: "admin", Title: "Administer:"},
	)
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	exemplify(root)
	return root
}

// exactly is cobra.ExactArgs with our words and exit status.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return misuse("%s takes %s; see \"%s --help\"", c.CommandPath(), what, c.CommandPath())
		}
		return nil
	}
}
