// Package e2e holds what users live through, as scripts: testdata/*.txtar, each
// beginning with its point. They run the real program in processes of its own,
// over loopback, and read like a terminal session.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// program is the built gatehouse, made once for all scripts.
var program string

// raced builds the programs with the race detector ("make race"), which finds
// what no test of one package can: that takes about four times as long.
var raced = os.Getenv("GATEHOUSE_RACE") == "1"

// races counts the processes whose log tells of a data race.
var races atomic.Int64

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		panic(err)
	}
	args := []string{"build", "-o", dir}
	if raced {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "gatehouse/cmd/gatehouse", "gatehouse/cmd/gatehouse-gateway")...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		os.RemoveAll(dir)
		panic(err)
	}
	program = dir
	code := m.Run()
	os.RemoveAll(dir)
	if races.Load() > 0 {
		fmt.Fprintf(os.Stderr, "%d processes met a data race; see above\n", races.Load())
		code = 1
	}
	os.Exit(code)
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(15 * time.Minute),
		Cmds:                commands,
		Condition:           condition,
		Setup: func(env *testscript.Env) error {
			w := newWorld(env.WorkDir)
			env.Values[worldKey{}] = w
			env.Defer(w.end)
			env.Setenv("PATH", program+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("SAMPLES", samples())
			env.Setenv("GATEHOUSE_DATA", filepath.Join(env.WorkDir, "data"))
			return nil
		},
	})
}

// samples is the folder of real definitions beside the repository.
func samples() string {
	dir, err := filepath.Abs("../../shared/samples/openapi")
	if err != nil {
		return ""
	}
	return dir
}

// condition knows [samples]: the folder of real definitions is there.
func condition(name string) (bool, error) {
	if name != "samples" {
		return false, fmt.Errorf("there is no condition %q", name)
	}
	_, err := os.Stat(samples())
	return err == nil, nil
}
