package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

type worldKey struct{}

// A world is what runs beside one script: servers and backends. Everything
// ends with the script.
type world struct {
	dir string

	mu       sync.Mutex // guards what follows
	servers  map[string]*server
	backends map[string]*backend
	hooks    map[string]*hook
}

// A server is one process of the program.
type server struct {
	args  []string
	ready string // URL that answers 200 when it serves
	cmd   *exec.Cmd
	log   *os.File
	done  chan struct{}
}

func newWorld(dir string) *world {
	return &world{dir: dir, servers: map[string]*server{}, backends: map[string]*backend{}}
}

func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.servers {
		s.signal(syscall.SIGKILL)
		s.look()
	}
	for _, b := range w.backends {
		b.close()
	}
}

// start runs the program and waits until it is ready.
func (w *world) start(name string, env []string, s *server) error {
	if err := s.run(filepath.Join(w.dir, name+".log"), env); err != nil {
		return err
	}
	w.mu.Lock()
	w.servers[name] = s
	w.mu.Unlock()
	return s.await(30 * time.Second)
}

func (s *server) run(log string, env []string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Env, s.log = f, f, env, f
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		_ = s.cmd.Wait() // a killed process is no news here
		f.Close()
	}()
	return nil
}

// look shows the data race that the process met, if any.
func (s *server) look() {
	text, _ := os.ReadFile(s.log.Name())
	if _, race, met := bytes.Cut(text, []byte("WARNING: DATA RACE")); met {
		races.Add(1)
		fmt.Fprintf(os.Stderr, "%s: data race%s\n", s.args, race[:min(len(race), 6000)])
	}
}

// await polls until the server is ready or has ended.
func (s *server) await(most time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	for {
		if resp, err := http.Get(s.ready); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			text, _ := os.ReadFile(s.log.Name())
			return fmt.Errorf("it ended instead of serving:\n%s", text)
		case <-ctx.Done():
			text, _ := os.ReadFile(s.log.Name())
			return fmt.Errorf("it does not get ready:\n%s", text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *server) signal(sig syscall.Signal) {
	_ = s.cmd.Process.Signal(sig) // it may have ended by itself
	select {
	case <-s.done:
	case <-time.After(40 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// given are the addresses that free has found: each is found once, since
// whoever got it may not listen yet, or be down for a while.
var given sync.Map

// free finds an address of loopback that nobody uses. It is not one of those that
// the system gives to outgoing connections (from 32768 on): while a process is
// down, its address must still be there for it.
func free() string {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 16384+rand.IntN(16384))
		if _, taken := given.LoadOrStore(address, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	panic("there is no free port")
}
