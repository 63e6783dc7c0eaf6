package link

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/report"
)

// A Spool keeps counts on disk until the control plane has taken them. Each
// batch is a file, written and synced before it may be sent, numbered within
// the spool, and removed once taken. When many wait, those not yet sent are
// merged: counts add up, so nothing is lost and little is kept. It is safe for
// several goroutines.
type Spool struct {
	dir string
	now func() time.Time

	mu     sync.Mutex // guards what follows
	name   string
	next   int64
	queue  []spooled      // on disk, oldest first
	sealed int64          // numbers up to this one may have been sent: never changed again
	held   []report.Count // what the disk would not take
	since  time.Time      // from when on held and the next batch count
}

type spooled struct {
	spool  string
	number int64
	size   int64
	hour   time.Time
}

// A batch that would be the Keep+1st to wait is merged into the one before if
// both are of one hour, whatever the hour above Cap bytes.
const (
	spoolKeep = 360
	spoolCap  = 64 << 20
	maxMerged = 10 * MaxBatchRows // still below MaxRequest
)

var errSpoolFull = fmt.Errorf("more than %d bytes wait for the control plane; counts go on in memory", spoolCap)

// OpenSpool opens the spool in dir, which it makes if needed. Files that
// cannot be read are put aside as *.damaged and named in the error list.
func OpenSpool(dir string, now func() time.Time) (*Spool, []error, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("opening spool: %w", err)
	}
	s := &Spool{dir: dir, now: now, since: now(), next: 1}
	names, err := filepath.Glob(filepath.Join(dir, "*.batch"))
	if err != nil {
		return nil, nil, err
	}
	var damaged []error
	for _, name := range names {
		spool, number, ok := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".batch"), "-")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			continue
		}
		q := spooled{spool: spool, number: n}
		b, size, err := s.read(q)
		if err != nil {
			damaged = append(damaged, fmt.Errorf("opening spool: batch %s: %w", filepath.Base(name), err))
			_ = os.Rename(name, name+".damaged") // if not, it is found again next time
			continue
		}
		q.size, q.hour = size, b.From.Truncate(time.Hour)
		s.queue = append(s.queue, q)
	}
	slices.SortFunc(s.queue, func(a, b spooled) int {
		return cmp.Or(a.hour.Compare(b.hour), cmp.Compare(a.spool, b.spool), cmp.Compare(a.number, b.number))
	})
	// A spool's name is used by one process: what waits keeps its names and
	// numbers, what comes gets a fresh name, so that no number comes twice.
	var random [9]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	s.name = hex.EncodeToString(random[:])
	return s, damaged, nil
}

func (q spooled) file() string { return fmt.Sprintf("%s-%016d.batch", q.spool, q.number) }

func (s *Spool) read(q spooled) (*report.Batch, int64, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, q.file()))
	if err != nil {
		return nil, 0, err
	}
	b := new(report.Batch)
	if err := json.Unmarshal(data, b); err != nil {
		return nil, 0, err
	}
	if b.Spool != q.spool || b.Number != q.number {
		return nil, 0, errors.New("content is of another batch")
	}
	return b, int64(len(data)), nil
}

// Add keeps what was counted since the last Add. If the disk does not take it,
// the counts stay in memory, merged, and go with the next Add.
func (s *Spool) Add(counts []report.Count) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC()
	if len(s.held) > 0 {
		counts = report.Merge(s.held, counts)
	} else {
		report.Sort(counts) // a roll-up has what is alike added up
	}
	s.held = nil
	from := s.since
	for len(counts) > 0 {
		part := counts[:min(len(counts), MaxBatchRows)]
		if err := s.write(&report.Batch{From: from, To: now, Counts: part}); err != nil {
			s.held = counts
			return fmt.Errorf("spooling counts: %w", err)
		}
		counts = counts[len(part):]
	}
	s.since = now
	return nil
}

// write makes the batch the last of the queue, or part of the last.
func (s *Spool) write(b *report.Batch) error {
	q := spooled{spool: s.name, number: s.next, hour: b.From.Truncate(time.Hour)}
	var merged []byte
	last, full := s.tail(), s.bytes() >= spoolCap
	if last != nil && (full || len(s.queue) >= spoolKeep && last.hour.Equal(q.hour)) {
		if before, _, err := s.read(*last); err == nil {
			if all := report.Merge(before.Counts, b.Counts); len(all) <= MaxBatchRows || full && len(all) <= maxMerged {
				all := &report.Batch{Spool: last.spool, Number: last.number, From: before.From, To: b.To, Counts: all}
				// Counts differ in size by how latencies lie: rows alone do not bound it.
				if data, err := json.Marshal(all); err == nil && len(data) <= MaxRequest {
					merged = data
				}
			}
		}
	}
	if full && last != nil && merged == nil {
		return errSpoolFull
	}
	if merged != nil {
		if err := writeFile(s.dir, last.file(), merged); err != nil {
			return err
		}
		last.size = int64(len(merged))
		return nil
	}
	b.Spool, b.Number = q.spool, q.number
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if err := writeFile(s.dir, q.file(), data); err != nil {
		return err
	}
	q.size = int64(len(data))
	s.queue = append(s.queue, q)
	s.next++
	return nil
}

// tail is the last batch if it can still be changed.
func (s *Spool) tail() *spooled {
	if len(s.queue) == 0 {
		return nil
	}
	last := &s.queue[len(s.queue)-1]
	if last.spool != s.name || last.number <= s.sealed {
		return nil
	}
	return last
}

func (s *Spool) bytes() (n int64) {
	for _, q := range s.queue {
		n += q.size
	}
	return n
}

// A Sealed batch is one that may be sent: a [report.Batch] in JSON, as it lies on
// disk. It is not read on its way; the control plane refuses what is damaged.
type Sealed struct {
	Spool  string
	Number int64
	Data   json.RawMessage
}

// Next is the oldest batch that waits, nil when none does. From then on it is
// not changed any more.
func (s *Spool) Next() (*Sealed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		q := s.queue[0]
		if q.spool == s.name {
			s.sealed = max(s.sealed, q.number)
		}
		data, err := os.ReadFile(filepath.Join(s.dir, q.file()))
		if err == nil {
			return &Sealed{q.spool, q.number, data}, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("reading spool: batch %s: %w", q.file(), err)
		}
		s.queue = s.queue[1:] // somebody removed it: there is nothing to send
	}
	return nil, nil
}

// Done removes a batch that the control plane has taken.
func (s *Spool) Done(b *Sealed) error { return s.leave(b, os.Remove) }

// Aside puts a batch that the control plane will never take out of the way,
// for a person to look at.
func (s *Spool) Aside(b *Sealed) error {
	return s.leave(b, func(name string) error { return os.Rename(name, name+".refused") })
}

func (s *Spool) leave(b *Sealed, do func(name string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, q := range s.queue {
		if q.spool == b.Spool && q.number == b.Number {
			if err := do(filepath.Join(s.dir, q.file())); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("taking a batch out of the spool: %w", err)
			}
			s.queue = slices.Delete(s.queue, i, i+1)
			return nil
		}
	}
	return nil
}

// Waiting is how many batches wait.
func (s *Spool) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}
