// Package process runs the programs that are measured, and reads what they take
// of the machine from the kernel rather than from themselves.
package process

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Build builds both programs, as "make build" does, into dir.
func Build(dir string) error {
	for _, name := range []string{"gatehouse", "gatehouse-gateway"} {
		c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, name), "./cmd/"+name)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// A Process is one program that runs.
type Process struct {
	Pid   int
	Began time.Time // just before it was started
	cmd   *exec.Cmd
	log   string
	done  chan struct{}
}

// Start runs args; what it says goes to the file log. It ends with this process
// at the latest.
func Start(log string, env []string, args ...string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Process{cmd: exec.Command(args[0], args[1:]...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = f, f, env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.Pid = p.cmd.Process.Pid
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// Await polls until url answers 200.
func (p *Process) Await(url string, most time.Duration) error {
	return p.Until(most, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// Until polls until ok, every millisecond, for at most that long and as long as
// the process lives.
func (p *Process) Until(most time.Duration, ok func() bool) error {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return nil
		}
		select {
		case <-p.done:
			return p.failed("ended")
		default:
		}
	}
	return p.failed("is not ready")
}

func (p *Process) failed(what string) error {
	text, _ := os.ReadFile(p.log) // what there is of it
	return fmt.Errorf("%s %s:\n%s", filepath.Base(p.cmd.Path), what, text)
}

// Stop asks the process to end and waits for it.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return nil
	case <-time.After(45 * time.Second):
		p.Kill()
		return errors.New(filepath.Base(p.cmd.Path) + " does not end when it is asked to")
	}
}

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// Free finds loopback addresses on which nothing listens.
func Free(n int) ([]string, error) {
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // after all are found, so that they differ
		all = append(all, l.Addr().String())
	}
	return all, nil
}
