package process

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Memory is what a process takes, in bytes.
type Memory struct {
	RSS int64 // resident
	PSS int64 // resident, pages shared with others by their part
}

// Memory reads smaps_rollup (proc(5)).
func (p *Process) Memory() (m Memory, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.Pid))
	if err != nil {
		return m, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 2 {
			continue
		}
		switch n, _ := strconv.ParseInt(f[1], 10, 64); f[0] {
		case "Rss:":
			m.RSS = n << 10
		case "Pss:":
			m.PSS = n << 10
		}
	}
	return m, nil
}

// RSS reads the resident size alone, which costs the process nothing.
func (p *Process) RSS() int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.Pid))
	f := strings.Fields(string(text))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// CPU is the time the process has computed, in hundredths of a second (utime and
// stime of proc_pid_stat(5)).
func (p *Process) CPU() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	f := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	if len(f) < 13 {
		return 0
	}
	u, _ := strconv.Atoi(f[11])
	s, _ := strconv.Atoi(f[12])
	return time.Duration(u+s) * 10 * time.Millisecond
}

// Heap makes the process collect its garbage and returns the bytes that stay in
// use. ops is where its profiles are.
func Heap(ops string) (int64, error) {
	resp, err := http.Get("http://" + ops + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "\n# HeapAlloc = ")
	if !ok {
		return 0, fmt.Errorf("http://%s has no heap profile", ops)
	}
	var n int64
	_, err = fmt.Sscan(rest, &n)
	return n, err
}

// HighRSS is the most that was resident so far.
func (p *Process) HighRSS() int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib int64
	_, _ = fmt.Sscan(rest, &kib) // 0 when the process is gone
	return kib << 10
}
