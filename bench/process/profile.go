package process

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profileDir names a folder for profiles; empty for none.
var profileDir = os.Getenv("BENCH_PROFILE")

// Profile takes the CPU profile of the process whose profiles are at ops, for
// that long, and with it what it allocates meanwhile, when the environment's
// BENCH_PROFILE names a folder for them. It does not wait.
func Profile(ops, name string, d time.Duration) {
	if profileDir == "" {
		return
	}
	for _, kind := range []string{"profile", "allocs"} {
		url := fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", ops, kind, int(d.Seconds()))
		go func() {
			if err := fetch(url, filepath.Join(profileDir, name+"."+kind)); err != nil {
				fmt.Fprintln(os.Stderr, "bench: profiling:", err)
			}
		}()
	}
}

// Heaps takes what lives on the heap, likewise.
func Heaps(ops, name string) {
	if profileDir == "" {
		return
	}
	if err := fetch("http://"+ops+"/debug/pprof/heap?gc=1", filepath.Join(profileDir, name+".heap")); err != nil {
		fmt.Fprintln(os.Stderr, "bench: profiling:", err)
	}
}

func fetch(url, file string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, resp.Body)
	return err
}
