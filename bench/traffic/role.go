package traffic

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Role runs one process of a measurement when args name one, and tells whether
// they did. The measuring process starts itself anew for each.
func Role(args []string) bool {
	if len(args) != 4 || !strings.HasPrefix(args[0], "role=") {
		return false
	}
	listen, backend, dir := args[1], args[2], args[3]
	role := strings.TrimPrefix(args[0], "role=")
	err := profile(role)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	switch role {
	case "backend":
		err = serveBackend(listen, answer)
	case "backend10k":
		err = serveBackend(listen, largeAnswer)
	case "half":
		err = serveHalf(listen, backend)
	case "plain", "plain-nethttp", "apim", "tls", "jwt":
		err = serveGateway(listen, backend, dir, role)
	case "pace":
		err = pace(backend)
	case "stock":
		err = serveStock(listen, backend)
	default:
		err = fmt.Errorf("there is no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

const answer = "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" +
	`{"id":"5f3c9a","state":"placed","lines":[{"sku":"A-1","quantity":2},{"sku":"B-7","quantity":1}]}   ` + "\n"

// largeAnswer has 10 KiB.
var largeAnswer = "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 10240\r\n\r\n" + strings.Repeat("0123456789abcdef", 640)

// serveBackend answers every head that has no body, as cheaply as can be.
func serveBackend(listen, answer string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					if _, err := c.Write([]byte(answer)); err != nil {
						return
					}
				}
			}
		}()
	}
}

// cores returns what pins a proxy, and what pins the rest; nothing when there
// is one core only.
func cores() (proxy, rest []string) {
	if runtime.NumCPU() < 2 {
		return nil, nil
	}
	return []string{"taskset", "-c", "0"}, []string{"taskset", "-c", "1"}
}

// A process is one that a measurement runs.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// start runs args and waits until it listens on addr.
func start(pin []string, addr string, args ...string) (*process, error) {
	args = append(append([]string{}, pin...), args...)
	p := &process{cmd: exec.Command(args[0], args[1:]...), addr: addr}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 500 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return p, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen on %s", strings.Join(args, " "), addr)
}

func (p *process) stop() {
	if profileDir != "" {
		p.cmd.Process.Signal(syscall.SIGTERM)
		p.cmd.Wait()
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // its group: nginx has a worker
	p.cmd.Wait()
}

// cpu is the CPU time the process and its children have used.
func (p *process) cpu() time.Duration {
	total := ticks(p.cmd.Process.Pid)
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.cmd.Process.Pid))
	for _, c := range strings.Fields(string(children)) {
		pid, _ := strconv.Atoi(c)
		total += ticks(pid)
	}
	return total
}

// ticks reads utime and stime of proc_pid_stat(5), in hundredths of a second.
func ticks(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	f := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	if len(f) < 13 {
		return 0
	}
	u, _ := strconv.Atoi(f[11])
	s, _ := strconv.Atoi(f[12])
	return time.Duration(u+s) * 10 * time.Millisecond
}

// freeAddr is a loopback address on which nothing listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
