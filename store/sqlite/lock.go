package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// errHeld is what lock answers when another process has the lock.
var errHeld = errors.New("held")

// lockFile takes the lock that goes with a database until the file is closed
// or the process ends, however it ends. The file names the holder for people
// only, and stays: removing it would let two processes hold two locks.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 20))
		err = errors.Join(fmt.Errorf("locking %q: %w", path, err), f.Close())
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("it is in use by another process (%s); one process has a data directory at a time, use PostgreSQL for more", holderText(holder))
		}
		return nil, err
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // a full disk must not keep the store shut
	}
	return f, nil
}

func holderText(text []byte) string {
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return "pid " + strconv.Itoa(pid)
	}
	return "pid unknown"
}
