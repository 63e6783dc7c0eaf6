// Package site is a control plane, a gateway and a backend, each a process or a
// listener of its own, as an installation has them.
package site

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/bench/estate"
	"gatehouse/bench/load"
	"gatehouse/bench/process"
	"gatehouse/client"
)

// A Site is one installation in a folder of its own.
type Site struct {
	Dir      string
	Database string // postgres:// URL; empty is the embedded one
	Backend  string // URL
	Traffic  string // address of the gateway
	Ops      string // address of the gateway's profiles
	Control  *process.Process
	Gateway  *process.Process

	ControlOps string // address of the control plane's profiles
	admin      string
	backend    net.Listener
}

// New builds the programs and starts the backend.
func New() (*Site, error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: dir}
	if err := process.Build(dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	addrs, err := process.Free(4)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.admin, s.ControlOps, s.Traffic, s.Ops = addrs[0], addrs[1], addrs[2], addrs[3]
	if s.backend, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Backend = "http://" + s.backend.Addr().String()
	go load.Backend(s.backend)
	return s, nil
}

// Close ends everything and removes the folder.
func (s *Site) Close() error {
	for _, p := range []*process.Process{s.Gateway, s.Control} {
		if p != nil {
			p.Kill()
		}
	}
	if s.backend != nil {
		s.backend.Close()
	}
	return os.RemoveAll(s.Dir)
}

func (s *Site) data() string { return filepath.Join(s.Dir, "data") }

// Data is the data directory of the control plane, and Admin where its management
// API is to listen, for who starts one without a process.
func (s *Site) Data() string { return s.data() }

// Admin is its address.
func (s *Site) Admin() string { return s.admin }

// StartControl starts the control plane and waits until it is ready. Where it
// is measured together with a gateway it is polite: it would have a machine of
// its own, and must not take the cores from the gateway and its callers.
func (s *Site) StartControl(polite bool) error {
	var args []string
	if polite {
		args = []string{"nice", "-n", "15"}
	}
	args = append(args, filepath.Join(s.Dir, "gatehouse"), "control", "--data", s.data(), "--admin-addr", s.admin, "--ops-addr", s.ControlOps, "--log-level", "warn")
	if s.Database != "" {
		args = append(args, "--database", s.Database)
	}
	var err error
	if s.Control, err = process.Start(filepath.Join(s.Dir, "control.log"), os.Environ(), args...); err != nil {
		return err
	}
	return s.Control.Await("http://"+s.ControlOps+"/readyz", time.Minute)
}

// Platform makes the environment and the gateway.
func (s *Site) Platform() error { return s.Apply(estate.Platform, "--wait", "0") }

// Apply applies one file of documents.
func (s *Site) Apply(text string, flags ...string) error {
	file := filepath.Join(s.Dir, "applied.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	_, _, err := s.CLI(0, append([]string{"apply", "-f", file}, flags...)...)
	return err
}

// Fill makes the platform, lets the gateway join, and applies so many APIs, which
// the gateway runs afterwards.
func (s *Site) Fill(apis int) error {
	if err := s.Platform(); err != nil {
		return err
	}
	if err := s.Join(); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, "estate")
	if err := estate.Write(dir, 0, apis, s.Backend); err != nil {
		return err
	}
	_, _, err := s.CLI(0, "apply", "-f", dir, "--wait", "60s")
	return err
}

// StartGateway starts the gateway, which joins at its first start, and waits
// until it listens.
func (s *Site) StartGateway(token string) error {
	var err error
	s.Gateway, err = process.Start(filepath.Join(s.Dir, "gateway.log"), os.Environ(), filepath.Join(s.Dir, "gatehouse-gateway"),
		"--control", "https://"+s.admin, "--token", token, "--name", "bench", "--data", filepath.Join(s.Dir, "gateway"),
		"--traffic-addr", s.Traffic, "--ops-addr", s.Ops, "--log-level", "warn")
	return err
}

// Join starts the gateway for the first time and waits until it has a
// configuration.
func (s *Site) Join() error {
	token, _, err := s.CLI(0, "gateway-token", "create", "edge")
	if err != nil {
		return err
	}
	if err := s.StartGateway(strings.TrimSpace(token)); err != nil {
		return err
	}
	return s.Gateway.Await("http://"+s.Ops+"/readyz", time.Minute)
}

// CLI runs the command line, which must exit with status want, and tells what
// it printed and how long it took.
func (s *Site) CLI(want int, args ...string) (stdout string, took time.Duration, err error) {
	c := exec.Command(filepath.Join(s.Dir, "gatehouse"), args...)
	c.Env = append(os.Environ(), "GATEHOUSE_DATA="+s.data(), "NO_COLOR=1")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	start := time.Now()
	err = c.Run()
	took = time.Since(start)
	if c.ProcessState == nil {
		return "", 0, err
	}
	if c.ProcessState.ExitCode() != want {
		return "", 0, fmt.Errorf("gatehouse %s: exit status %d, not %d:\n%.2000s", strings.Join(args, " "), c.ProcessState.ExitCode(), want, errs.String())
	}
	return out.String(), took, nil
}

// Client speaks to the management API as the administrator.
func (s *Site) Client() (*client.Client, error) {
	token, err := os.ReadFile(filepath.Join(s.data(), "admin.token"))
	if err != nil {
		return nil, err
	}
	return client.New("http://"+s.admin, strings.TrimSpace(string(token)), nil)
}
