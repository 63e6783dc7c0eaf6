package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts have beside testscript's own.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"serve":    serve,
	"gateway":  gateway,
	"end":      ended(syscall.SIGTERM),
	"crash":    ended(syscall.SIGKILL),
	"again":    again,
	"backend":  startBackend,
	"down":     stopBackend,
	"hits":     hits,
	"call":     call,
	"tries":    tries,
	"until":    until,
	"comes":    comes,
	"capture":  capture,
	"envsubst": substitute,
	"fetch":    fetch,
	"moment":   moment,
	"recipes":  recipes,
	"receiver": receiver,
	"told":     told,
	"waits":    waits,
	"soon":     soon,
	"large":    large,
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "NO_COLOR", "GATEHOUSE_DATABASE"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// serve [flags]: start "gatehouse serve" on free ports; $TRAFFIC and $ADMIN
// are its URLs, its name is "serve". serve control starts the control plane alone.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	role := "serve"
	if len(args) > 0 && args[0] == "control" {
		role, args = "control", args[1:]
	}
	traffic, admin, ops := free(), free(), free()
	flags := []string{filepath.Join(program, "gatehouse"), role, "--admin-addr", admin, "--ops-addr", ops, "--data", ts.Getenv("GATEHOUSE_DATA")}
	if role == "serve" {
		flags = append(flags, "--traffic-addr", traffic)
	}
	ts.Setenv("TRAFFIC", "http://"+traffic)
	ts.Setenv("ADMIN", "http://"+admin)
	ts.Setenv("OPS", "http://"+ops)
	err := worldOf(ts).start(role, environment(ts), &server{args: append(flags, args...), ready: "http://" + ops + "/readyz"})
	check(ts, neg, err)
}

// gateway NAME TOKEN [flags]: start "gatehouse-gateway" joined to the control
// plane at $ADMIN; $NAME_TRAFFIC is its URL.
func gateway(ts *testscript.TestScript, neg bool, args []string) {
	name, token := args[0], args[1]
	traffic, ops := free(), free()
	flags := []string{filepath.Join(program, "gatehouse-gateway"), "--traffic-addr", traffic, "--ops-addr", ops,
		"--data", filepath.Join(worldOf(ts).dir, name), "--control", strings.Replace(ts.Getenv("ADMIN"), "http://", "https://", 1), "--name", name}
	if token != "-" {
		flags = append(flags, "--token", token)
	}
	ts.Setenv(strings.ToUpper(name)+"_TRAFFIC", "http://"+traffic)
	check(ts, neg, worldOf(ts).start(name, environment(ts), &server{args: append(flags, args[2:]...), ready: "http://" + ops + "/readyz"}))
}

// end NAME and crash NAME end a process, politely or not.
func ended(sig syscall.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		s := worldOf(ts).servers[args[0]]
		if s == nil {
			ts.Fatalf("there is no process %q", args[0])
		}
		s.signal(sig)
	}
}

// again NAME: start a process again as it was.
func again(ts *testscript.TestScript, neg bool, args []string) {
	s := worldOf(ts).servers[args[0]]
	if s == nil {
		ts.Fatalf("there was no process %q", args[0])
	}
	check(ts, neg, worldOf(ts).start(args[0], environment(ts), &server{args: s.args, ready: s.ready}))
}

// backend NAME: start a backend that answers with what it saw; $NAME is its URL.
func startBackend(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	addr := ""
	if b := w.backends[args[0]]; b != nil {
		addr = b.addr
	}
	b, err := newBackend(addr)
	check(ts, neg, err)
	w.backends[args[0]] = b
	ts.Setenv(strings.ToUpper(args[0]), "http://"+b.addr)
}

// down NAME: stop a backend.
func stopBackend(ts *testscript.TestScript, _ bool, args []string) {
	worldOf(ts).backends[args[0]].close()
}

// hits NAME N [MOST]: the backend has seen exactly N requests, or from N to MOST.
func hits(ts *testscript.TestScript, neg bool, args []string) {
	got := worldOf(ts).backends[args[0]].requests.Load()
	least, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	most, err := strconv.ParseInt(args[len(args)-1], 10, 64)
	ts.Check(err)
	if (least <= got && got <= most) == neg {
		ts.Fatalf("backend %s has seen %d requests", args[0], got)
	}
	ts.Logf("%d requests", got)
}

// tries N METHOD URL …: make N requests, one every 20 ms, whatever becomes of
// them: what limits let through is seen by hits.
func tries(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range n {
		_, _, err := request(args[1], args[2], args[3:])
		ts.Check(err)
		time.Sleep(20 * time.Millisecond)
	}
}

// call [-n TIMES] STATUS METHOD URL [Name:value …] [@body]: make a request and expect the
// status, with -n at the latest by that many tries. The last answer goes to stdout.
func call(ts *testscript.TestScript, neg bool, args []string) {
	times := 1
	if args[0] == "-n" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		times, args = n, args[2:]
	}
	var seen []string
	var last string
	for range times {
		status, text, err := request(args[1], args[2], args[3:])
		ts.Check(err)
		last = text
		seen = append(seen, status)
		if status == args[0] {
			break
		}
	}
	fmt.Fprint(ts.Stdout(), last)
	if slices.Contains(seen, args[0]) == neg {
		ts.Fatalf("%s %s: got status %v, want %s", args[1], args[2], seen, args[0])
	}
}

// until STATUS METHOD URL …: as call, again and again until the status comes,
// for 30 s at most.
func until(ts *testscript.TestScript, _ bool, args []string) {
	end := time.Now().Add(30 * time.Second)
	for {
		status, text, err := request(args[1], args[2], args[3:])
		if err == nil && status == args[0] {
			fmt.Fprint(ts.Stdout(), text)
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s %s: still status %s (%v), want %s\n%s", args[1], args[2], status, err, args[0], text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// comes PATTERN PROGRAM [args]: run the program again and again until it puts out
// what matches, for 20 s at most.
func comes(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && want.MatchString(out) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%v puts out nothing that matches %q (%v), at last\n%s", args[1:], args[0], err, out)
		}
	}
}

func request(method, url string, rest []string) (status, text string, err error) {
	var body io.Reader
	head := http.Header{}
	for _, a := range rest {
		if b, ok := strings.CutPrefix(a, "@"); ok {
			body = strings.NewReader(b)
		} else if n, v, ok := strings.Cut(a, ":"); ok {
			head.Add(n, v)
		}
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return "", "", err
	}
	req.Header = head
	c := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", resp.Status)
	if err := resp.Header.Write(&b); err != nil {
		return "", "", err
	}
	data, err := io.ReadAll(resp.Body)
	fmt.Fprintf(&b, "\n%s\n", data)
	return strconv.Itoa(resp.StatusCode), b.String(), err
}

// capture NAME: keep the last output of exec as $NAME.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// moment NAME: keep this moment as $NAME; what follows comes after it.
func moment(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], time.Now().UTC().Format(time.RFC3339Nano))
	time.Sleep(2 * time.Millisecond)
}

// envsubst FILE: put the environment's values for $NAMES into a file.
func substitute(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

func check(ts *testscript.TestScript, neg bool, err error) {
	if (err != nil) != neg {
		ts.Fatalf("%v", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
