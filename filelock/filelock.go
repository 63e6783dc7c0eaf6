// Package filelock lets one process at a time have a directory's data.
//
// It rests on the system's own locks, which end with the process however that
// ends. What lies in the directory is for others to know.
package filelock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// ErrHeld is the error of [Take] when another process has the lock.
var ErrHeld = errors.New("in use by another process")

// Take takes the lock of the file at path until it is closed or the process
// ends. The file names the holder for people only, and stays: removing it would
// let two processes hold two locks.
func Take(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		if errors.Is(err, ErrHeld) {
			return nil, fmt.Errorf("%w (%s)", ErrHeld, holderText(holder))
		}
		return nil, fmt.Errorf("locking %q: %w", path, err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // a full disk must not keep anybody out
	}
	return f, nil
}

func holderText(text []byte) string {
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return "pid " + strconv.Itoa(pid)
	}
	return "pid unknown"
}
