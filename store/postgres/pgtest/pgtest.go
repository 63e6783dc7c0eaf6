// Package pgtest runs a PostgreSQL of its own for tests: from the binaries of
// the system, in a temporary folder, on a Unix socket that nobody else sees.
//
// It is made for speed, not for keeping anything: nothing is synced. When the
// test process ends, however it ends, the server ends too.
package pgtest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// NoPostgres is the variable that, set to 1, leaves out the tests that need
// PostgreSQL.
const NoPostgres = "GATEHOUSE_TEST_NO_POSTGRES"

const install = "PostgreSQL is not installed: apt-get install postgresql (or set " + NoPostgres + "=1 to leave its tests out)"

// A Server is one running PostgreSQL.
type Server struct {
	bin, dir string

	mu    sync.Mutex // guards what follows
	cmd   *exec.Cmd
	alive io.Closer // the server runs until this closes
	log   *tail
}

var (
	shared    *Server
	sharedErr error
	once      sync.Once
	names     atomic.Int64
)

// Main runs the tests and stops the server that they shared.
func Main(m *testing.M) int {
	code := m.Run()
	if shared != nil {
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			return max(code, 1)
		}
	}
	return code
}

// URL is of a new, empty database on the server that all tests of the process
// share. The package's TestMain calls [Main].
func URL(t testing.TB) string {
	t.Helper()
	need(t)
	once.Do(func() { shared, sharedErr = start() })
	if sharedErr != nil {
		t.Fatal(sharedErr)
	}
	return shared.Database(t)
}

// New starts a server for one test, which may stop and start it.
func New(t testing.TB) *Server {
	t.Helper()
	need(t)
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Run starts a server for a program that is no test and tells the URL of an
// empty database on it. The caller closes it.
func Run() (s *Server, url string, err error) {
	if binaries() == "" {
		return nil, "", errors.New(install)
	}
	if s, err = start(); err != nil {
		return nil, "", err
	}
	return s, s.url("postgres"), nil
}

func need(t testing.TB) {
	t.Helper()
	if os.Getenv(NoPostgres) == "1" {
		t.Skip("left out: " + NoPostgres + "=1")
	}
	if binaries() == "" {
		t.Fatal(install)
	}
}

// binaries finds the newest PostgreSQL.
func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

func start() (*Server, error) {
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path has at most 107 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{bin: binaries(), dir: dir}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) init() error {
	if err := own(s.dir); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	cmd.Dir = s.dir
	drop(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running initdb: %w\n%s", err, out)
	}
	return s.Start()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// script runs the server until its own standard input ends, which is when the
// test process says so, or is no more.
const script = `"$@" </dev/null & pid=$!
cat >/dev/null
kill -INT $pid
wait $pid`

// Start starts the server and waits until it answers.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("starting PostgreSQL: it runs")
	}
	cmd := exec.Command("/bin/sh", "-c", script, "sh", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "lc_messages=C")
	cmd.Dir = s.dir
	drop(cmd)
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.alive, s.log = cmd, alive, follow(out)
	select {
	case <-s.log.ready:
		return nil
	case <-s.log.done:
	case <-time.After(time.Minute):
	}
	return fmt.Errorf("starting PostgreSQL: it does not answer: %w", errors.Join(s.stop(), errors.New(s.log.text())))
}

// Stop stops the server; connections break. Its data stays.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop()
}

func (s *Server) stop() error {
	if s.cmd == nil {
		return nil
	}
	_ = s.alive.Close()
	<-s.log.done
	err := s.cmd.Wait()
	s.cmd = nil
	if err != nil {
		return fmt.Errorf("stopping PostgreSQL: %w\n%s", err, s.log.text())
	}
	return nil
}

// Close stops the server and removes its data.
func (s *Server) Close() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }

// Database makes an empty database for the test and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", names.Add(1))
	if err := s.run(`CREATE DATABASE ` + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.run(`DROP DATABASE ` + name + ` WITH (FORCE)`) }) // the server may be gone already
	return s.url(name)
}

func (s *Server) url(name string) string {
	return "postgres:///" + name + "?" + url.Values{"host": {s.dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()
}

func (s *Server) run(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

// A tail reads the server's log and keeps its end.
type tail struct {
	ready, done chan struct{}
	mu          sync.Mutex
	lines       []string
}

func follow(r io.Reader) *tail {
	l := &tail{ready: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		first := true
		for lines := bufio.NewScanner(r); lines.Scan(); {
			l.mu.Lock()
			l.lines = append(l.lines, lines.Text())
			l.lines = l.lines[max(0, len(l.lines)-50):]
			l.mu.Unlock()
			if first && strings.Contains(lines.Text(), "ready to accept connections") {
				first = false
				close(l.ready)
			}
		}
		_, _ = io.Copy(io.Discard, r) // a line too long must not block the server
	}()
	return l
}

func (l *tail) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
