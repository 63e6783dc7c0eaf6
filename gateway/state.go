package gateway

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"time"
)

// loadState takes up the counters of limits where the last run left them, so that
// a restart is no fresh budget. A file that cannot be read is told and passed over.
func (g *Gateway) loadState() {
	if g.options.State == "" {
		return
	}
	f, err := os.Open(g.options.State)
	if err == nil {
		defer f.Close()
		err = g.limits.Load(bufio.NewReader(f), time.Now())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.options.logf("reading the counters of limits: %v; they begin anew", err)
	}
}

// saveState writes the counters beside the file and then over it, so that a crash
// leaves the old or the new.
func (g *Gateway) saveState() {
	if g.limits == nil || g.options.State == "" {
		return
	}
	if err := g.writeState(g.options.State + ".new"); err != nil {
		g.options.logf("keeping the counters of limits: %v", err)
	}
}

func (g *Gateway) writeState(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if err = g.limits.Save(w, time.Now()); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(name, g.options.State)
}
