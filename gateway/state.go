package gateway

import (
	"bufio"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"
)

// saveEvery is how much counting a crash may forget; when writing takes long, it
// is done less often, so that it takes a twentieth of the time at most.
const saveEvery = 2 * time.Second

// keepState saves until ctx ends.
func (g *Gateway) keepState(ctx context.Context) {
	t := time.NewTimer(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		start := time.Now()
		g.saveState()
		t.Reset(max(saveEvery, 20*time.Since(start)))
	}
}

// loadState takes up the counters of limits where the last run left them, so that
// a restart is no fresh budget. A file that cannot be read is told and passed over.
func (g *Gateway) loadState() {
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
		g.unsaved.Met(time.Now(), 0, g.options.Log.Warn, "the counters of limits stay in memory until the disk takes them", "error", err)
	} else {
		g.unsaved.Over(time.Now(), g.options.Log, "the counters of limits are on disk again")
	}
}

func (g *Gateway) writeState(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	w := bufio.NewWriter(io.MultiWriter(f, sum))
	if err = g.limits.Save(w, time.Now()); err == nil {
		err = w.Flush()
	}
	if err == nil && sum.Sum32() == g.saved { // nothing was counted since
		return errors.Join(f.Close(), os.Remove(name))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(name, g.options.State); err == nil {
		g.saved = sum.Sum32()
	}
	return err
}
