package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// run runs one command line on a machine where nothing is set up.
func run(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	env := map[string]string{"GATEHOUSE_ADDR": "http://127.0.0.1:1", "GATEHOUSE_DATA": "", "GATEHOUSE_CONTEXTS": t.TempDir() + "/contexts.json"}
	a := &App{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(name string) string { return env[name] }, Version: "test"}
	t.Chdir(t.TempDir())
	code = a.Run(t.Context(), args)
	return code, o.String(), e.String()
}

func TestValidateCounts(t *testing.T) {
	dir := t.TempDir()
	const team = "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: shop%d}\nspec: {title: Shop}\n"
	for n, want := range map[int]string{1: "1 document is valid\n", 2: "2 documents are valid\n"} {
		var text string
		for i := range n {
			text += fmt.Sprintf("---\n"+team, i)
		}
		file := filepath.Join(dir, fmt.Sprint(n)+".yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, got := run(t, "validate", "-f", file); code != 0 || got != want {
			t.Errorf("%d documents: got status %d and %q, want %q", n, code, got, want)
		}
	}
}

// TestExitStatus holds that misuse is 2 and what failed is 1, each with one
// line that says what to do.
func TestExitStatus(t *testing.T) {
	tests := []struct {
		args string
		code int
		err  string // in the one line on standard error; "" for none
	}{
		{"version", 0, ""},
		{"version -o json", 0, ""},
		{"help apply", 0, ""},
		{"key", 0, ""},
		{"policy list", 0, ""},
		{"aply", 2, `did you mean "apply"?`},
		{"zzz", 2, "--help"},
		{"key creat a/b", 2, `did you mean "create"?`},
		{"help key creat", 2, `did you mean "create"?`},
		{"completion tcsh", 2, "--help"},
		{"apply --fil x", 2, "did you mean --file?"},
		{"apply --zzz", 2, "--help"},
		{"apply -f", 2, "needs an argument"},
		{"apply", 2, "-f"},
		{"apply x", 2, "-f PATH"},
		{"get", 2, "kind"},
		{"get ap", 2, `did you mean "api"?`},
		{"get zzz", 2, "team, user"},
		{"get api orders", 2, "payments/orders"},
		{"get api a b c", 2, "kind"},
		{"get apis -o xml", 2, "table, json, yaml or name"},
		{"apply -f . -o xml", 2, "table, json, yaml or name"},
		{"release a/b", 2, "payments/orders@v1"},
		{"access can", 2, "api.put"},
		{"catalog --as-of someday", 2, "2026-11-01"},
		{"import openapi a.yaml", 2, "--team"},
		{"policy help rate", 2, "rate-limit"},
		{"plan -f /nonexistent", 1, "no such file or folder"},
		{"whoami --address 127.0.0.1:9080", 1, "http://127.0.0.1:9080"},
		{"whoami", 1, "gatehouse serve"},
		{"whoami --context none", 1, "gatehouse context"},
		{"catalog", 1, "gatehouse serve"},
		{"get apis", 1, "gatehouse serve"},
		{"whoami --data nowhere", 1, "token"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			code, out, err := run(t, strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("exit status %d, want %d: %s", code, tt.code, err)
			}
			if tt.err == "" {
				if err != "" || out == "" {
					t.Errorf("out %q, err %q", out, err)
				}
				return
			}
			if !strings.Contains(err, tt.err) || strings.Count(err, "\n") != 1 || out != "" {
				t.Errorf("got %q and %q, want one line with %q", out, err, tt.err)
			}
		})
	}
}

// TestEveryCommandIsHelpful holds that each command says what it does, takes no
// arguments it does not know, and is where completion finds it.
func TestEveryCommandIsHelpful(t *testing.T) {
	a := &App{Getenv: func(string) string { return "" }}
	root := a.root()
	a.complete(root)
	a.strict(root)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: the summary %q is missing or ends with a full stop", c.CommandPath(), c.Short)
		}
		if c.Args == nil {
			t.Errorf("%s takes any arguments", c.CommandPath())
		}
		if len(c.Commands()) == 0 && c.ValidArgsFunction == nil && c.Name() != "help" {
			t.Errorf("%s completes nothing", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

// TestCompletionWithoutServer holds that completion offers what it knows and
// does not complain where no server answers.
func TestCompletionWithoutServer(t *testing.T) {
	tests := []struct{ args, want string }{
		{"get ", "policy-set"},
		{"policy help ", "rate-limit"},
		{"get apis -o ", "yaml"},
		{"release ", "approve"},
		{"get api ", ":4"},
		{"catalog --env ", ":4"},
	}
	for _, tt := range tests {
		args := append([]string{cobra.ShellCompRequestCmd}, strings.Split(tt.args, " ")...)
		if code, out, err := run(t, args...); code != 0 || !strings.Contains(out, tt.want) {
			t.Errorf("completing %q: %d, %q, %q", tt.args, code, out, err)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, out, _ := run(t, "completion", shell); code != 0 || !strings.Contains(out, "gatehouse") {
			t.Errorf("completion %s: %d", shell, code)
		}
	}
}

// TestAdviceIsForWhoAsked holds that a server which cannot listen or reach its
// database is not told to start a server.
func TestAdviceIsForWhoAsked(t *testing.T) {
	for _, op := range []string{"listen", "dial"} {
		err := fmt.Errorf("starting: %w", &net.OpError{Op: op, Net: "tcp", Err: errors.New("address already in use")})
		if got := advice(err); got != "" {
			t.Errorf("a server's own error of %s is followed by %q", op, got)
		}
	}
}

// TestEmptyFolderIsNoSuccess holds that files without a document are refused,
// with what a document is: the folder may be a mistyped one.
func TestEmptyFolderIsNoSuccess(t *testing.T) {
	dir := t.TempDir()
	for _, command := range []string{"validate", "plan", "apply"} {
		if code, _, err := run(t, command, "-f", dir); code != 1 || !strings.Contains(err, "there is no document") || !strings.Contains(err, dir) {
			t.Errorf("%s: status %d, %q", command, code, err)
		}
	}
}
