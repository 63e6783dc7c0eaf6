package traffic

import (
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
)

// profileDir names a folder into which our processes write CPU profiles when
// they are told to end.
var profileDir = os.Getenv("BENCH_PROFILE")

// profile starts a profile of this process under its role's name.
func profile(role string) error {
	if profileDir == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(profileDir, role+".pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() {
		<-end
		pprof.StopCPUProfile()
		f.Close()
		os.Exit(0)
	}()
	return nil
}
