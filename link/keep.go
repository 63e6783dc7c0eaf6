package link

import (
	"context"
	"maps"
	"time"

	"gatehouse/report"
	"gatehouse/snapshot"
)

// keep tries again what the disk would not take: after a restart, yesterday's
// rules would be in force. It returns how long to wait for news then.
func (r *Runner) keep() (wait time.Duration) {
	if r.unkept == nil {
		return 20 * time.Second
	}
	if err := r.disk.Save(r.unkept, r.unsaved); err != nil {
		r.saving.Met(r.Now(), 0, r.Log.Error, "configuration in force is not on disk", "error", err)
		return 2 * time.Second
	}
	r.saved(r.unkept)
	r.unkept = nil
	clear(r.unsaved)
	return 20 * time.Second
}

func (r *Runner) saved(u *Update) {
	r.saving.Over(r.Now(), r.Log, "configuration is on disk now", "serial", u.Manifest.Serial)
}

// Unwritten is how often the disk did not take counts or configuration.
func (r *Runner) Unwritten() int64 {
	return r.spooling.Times() + r.saving.Times() + r.keeping.Times()
}

// Interrupted is how often the control plane could not be asked.
func (r *Runner) Interrupted() int64 { return r.linked.Times() }

// put swaps u in. A manifest that is refused whole counts as seen: the next
// one is awaited.
func (r *Runner) put(ctx context.Context, u *Update) {
	aside, refused := r.Swap(ctx, u.Manifest, r.chunk)
	u.Chunks = nil
	r.standing = report.Ack{Serial: u.Manifest.Serial, Digest: u.Digest.String(), Time: r.Now().UTC(), Protocol: Protocol, Program: r.Client.Program}
	r.standing.Standing = report.Stand(aside, nil)
	if r.Standing != nil && refused == nil {
		r.standing.Standing = r.Standing()
	}
	r.current, r.acked = u, false
	if refused == nil {
		r.serial.Store(u.Manifest.Serial)
		return
	}
	r.standing.Refused = refused.Error()
	r.Log.Error("configuration is refused; the one before stays in force", "serial", u.Manifest.Serial, "error", refused)
	if err := r.disk.Drop(u.Manifest.Serial); err != nil {
		r.Log.Warn("removing refused configuration from disk", "error", err)
	}
}

// forget drops chunks that the disk would not take and that are of no use any
// more.
func (r *Runner) forget(u *Update) {
	used := make(map[snapshot.Hash]struct{}, len(u.Manifest.Entries))
	for _, e := range u.Manifest.Entries {
		used[e.Hash] = struct{}{}
	}
	maps.DeleteFunc(r.unsaved, func(h snapshot.Hash, _ []byte) bool { _, ok := used[h]; return !ok })
}

func (r *Runner) chunk(h snapshot.Hash) ([]byte, error) {
	if data, ok := r.unsaved[h]; ok {
		return data, nil
	}
	return r.disk.Chunk(h)
}
