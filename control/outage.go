package control

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatehouse"
)

// outageTime is for how long the log is quiet about a fault of the store that it
// has told: a stopped database fails every request and chore alike.
const outageTime = 30 * time.Second

// maxOutages bounds the faults that are counted at a time; others are all told.
const maxOutages = 100

// An outage is a log that tells a fault of the store once, and then every
// outageTime how often it came again. What else is logged passes.
type outage struct {
	slog.Handler
	seen *faults // shared by all that came of it
}

// faults are those told lately, by message and error.
type faults struct {
	mu  sync.Mutex
	all map[string]*told
}

type told struct {
	log    slog.Handler
	last   slog.Record
	silent int // times it came since it was told
}

// bounded is a log that does not grow with every request of an outage.
func bounded(log *slog.Logger) *slog.Logger {
	return slog.New(&outage{log.Handler(), &faults{all: map[string]*told{}}})
}

func (o *outage) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &outage{o.Handler.WithAttrs(attrs), o.seen}
}

func (o *outage) WithGroup(name string) slog.Handler {
	return &outage{o.Handler.WithGroup(name), o.seen}
}

func (o *outage) Handle(ctx context.Context, r slog.Record) error {
	if why := storeFault(r); why != "" && o.seen.again(o.Handler, r, r.Message+"\n"+why) {
		return nil
	}
	return o.Handler.Handle(ctx, r)
}

// storeFault is the text of a warning or error of the kinds that a store's outage
// gives, "" for any other.
func storeFault(r slog.Record) (text string) {
	if r.Level < slog.LevelWarn {
		return ""
	}
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && (gatehouse.Is(err, gatehouse.Unavailable) || gatehouse.Is(err, gatehouse.Full)) {
			text = err.Error()
		}
		return text == ""
	})
	return text
}

// again counts a fault that was told lately; the first time it is not counted.
func (f *faults) again(log slog.Handler, r slog.Record, key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.all[key]; t != nil {
		t.last, t.silent = r.Clone(), t.silent+1
		return true
	}
	if len(f.all) < maxOutages {
		f.all[key] = &told{log: log}
		time.AfterFunc(outageTime, func() { f.tell(key) })
	}
	return false
}

// tell says how often a fault came again, and forgets one that did not.
func (f *faults) tell(key string) {
	f.mu.Lock()
	t := f.all[key]
	n, last := t.silent, t.last
	if t.silent = 0; n == 0 {
		delete(f.all, key)
	}
	f.mu.Unlock()
	if n == 0 {
		return
	}
	last.AddAttrs(slog.Int("times", n))
	_ = t.log.Handle(context.Background(), last) // a log that fails has nowhere to say so
	time.AfterFunc(outageTime, func() { f.tell(key) })
}
