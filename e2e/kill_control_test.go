package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
)

// A writer changes applications of its own one after the other, and remembers
// what it was told. Each change carries a mark that no other has.
type writer struct {
	name     string
	attempts []attempt
}

// An attempt is one change that was asked for.
type attempt struct {
	mark    string
	objects []string // that get the mark
	acked   bool     // the answer was that it is done
	refused bool     // the answer was that it is not
	wrong   bool     // it must be refused
}

// next asks for the next change: one object anew, two in one bundle, a new one,
// or one that must be refused.
func (w *writer) next(ctx context.Context, s *site) error {
	n := len(w.attempts)
	a := attempt{mark: fmt.Sprintf("mark-%s-%d-", w.name, n)}
	var err error
	switch n % 4 {
	case 0:
		a.objects = []string{"one-" + w.name}
		err = s.put(ctx, a.objects[0], a.mark)
	case 1:
		a.objects = []string{"left-" + w.name, "right-" + w.name}
		_, err = s.try(ctx, application(a.objects[0], a.mark)+"---"+application(a.objects[1], a.mark))
	case 2:
		a.objects = []string{fmt.Sprintf("new-%s-%d", w.name, n)}
		err = s.put(ctx, a.objects[0], a.mark)
	}
	if n%4 == 3 {
		a.objects, a.wrong = []string{fmt.Sprintf("wrong-%s-%d", w.name, n)}, true
		doc := json.RawMessage(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"pets","name":"` + a.objects[0] + `"},"spec":{"nonsense":1}}`)
		_, err = s.api.Put(ctx, gatehouse.KindApplication, "pets", a.objects[0], doc, adminapi.Conditional{})
	}
	a.acked = err == nil
	a.refused = err != nil && !gatehouse.Is(err, gatehouse.Unavailable) && !errors.Is(err, context.Canceled)
	if a.wrong && err != nil {
		if a.refused = gatehouse.Is(err, gatehouse.Invalid); a.refused {
			err = nil // as it should be
		}
	}
	w.attempts = append(w.attempts, a)
	return err
}

func application(name, mark string) string {
	return fmt.Sprintf("\napiVersion: gatehouse/v1\nkind: Application\nmetadata: {team: pets, name: %s}\nspec: {title: %s}\n", name, mark)
}

func (s *site) put(ctx context.Context, name, mark string) error {
	doc := json.RawMessage(fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"pets","name":%q},"spec":{"title":%q}}`, name, mark))
	_, err := s.api.Put(ctx, gatehouse.KindApplication, "pets", name, doc, adminapi.Conditional{})
	return err
}

// writing lets writers work until the control plane has been struck and answers
// no more.
func (s *site) writing(writers []*writer, strike func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for _, w := range writers {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := w.next(ctx, s)
				if gatehouse.Is(err, gatehouse.Unavailable) {
					return
				}
				if err != nil && w.attempts[len(w.attempts)-1].refused {
					s.t.Errorf("writing: %v", err)
				}
			}
		})
	}
	strike()
	cancel() // the one that waits for an answer may give up: it comes no more
	wg.Wait()
}

// titles are the marks that applications bear now.
func (s *site) titles() map[string]string {
	s.t.Helper()
	out, page := map[string]string{}, adminapi.PageRequest{Limit: 1000}
	for {
		list, err := s.api.List(s.t.Context(), gatehouse.KindApplication, "pets", page, "")
		if err != nil {
			s.t.Fatal(err)
		}
		for _, o := range list.Body.Items {
			var spec gatehouse.Application
			if err := json.Unmarshal(o.Spec, &spec); err != nil {
				s.t.Fatal(err)
			}
			out[o.Metadata.Name] = spec.Title
		}
		if list.Body.Next == "" {
			return out
		}
		page.After = list.Body.Next
	}
}

// events counts the events on record: of changes by the mark that they carry and
// by object, of refusals by object.
func (s *site) events(after int64) (counts map[string]int, last int64) {
	s.t.Helper()
	counts = map[string]int{}
	for last = after; ; {
		out, err := s.api.QueryAudit(s.t.Context(), adminapi.QueryAuditRequest{EventSelection: adminapi.EventSelection{Object: "Application pets/*"}, After: last, Limit: 1000})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range out.Body.Items {
			last = e.Number
			if e.Outcome != gatehouse.Allowed {
				counts[e.Outcome+" "+strings.TrimPrefix(e.Object, "Application pets/")]++
				continue
			}
			for _, d := range e.Change {
				if text := string(d.After); strings.Contains(text, "mark-") {
					_, text, _ = strings.Cut(text, "mark-")
					mark, _, _ := strings.Cut(text, `"`)
					counts["mark-"+mark+" on "+strings.TrimPrefix(e.Object, "Application pets/")]++
				}
			}
		}
		if out.Body.Next == 0 {
			return counts, last
		}
	}
}

// hold checks what a writer was told against what stands and what is on record.
func (w *writer) hold(t *testing.T, stands map[string]string, onRecord map[string]int) {
	t.Helper()
	newest := map[string]int{} // last acknowledged attempt of an object
	for i, a := range w.attempts {
		if a.wrong {
			n := onRecord[gatehouse.Refused+" "+a.objects[0]]
			if n > 1 || a.acked || a.refused && n != 1 || stands[a.objects[0]] != "" {
				t.Errorf("%s, which is wrong, is on record %d times; acknowledged: %v, refused: %v, stands: %q", a.mark, n, a.acked, a.refused, stands[a.objects[0]])
			}
			continue
		}
		var written []bool
		for _, name := range a.objects {
			n := onRecord[a.mark+" on "+name]
			written = append(written, n == 1)
			if n > 1 || a.acked && n != 1 || a.refused && n != 0 {
				t.Errorf("%s of %s is on record %d times; acknowledged: %v, refused: %v", a.mark, name, n, a.acked, a.refused)
			}
			if n == 1 {
				newest[name] = i
			}
		}
		if len(written) == 2 && written[0] != written[1] {
			t.Errorf("%s was done by half: on record %v", a.mark, written)
		}
	}
	for name, i := range newest {
		if want := w.attempts[i].mark; stands[name] != want {
			t.Errorf("%s bears %q; the last change on record is %q", name, stands[name], want)
		}
	}
}

// TestKillControl kills the control plane at random moments under writes: what
// was acknowledged is there afterwards, nothing is there by half, and the
// trail has one event for each change.
func TestKillControl(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 1))
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	writers := []*writer{{name: "a"}, {name: "b"}, {name: "c"}}
	onRecord, last := map[string]int{}, int64(0)
	var slowest time.Duration
	n := rounds(15, 100)
	for round := range n {
		s.writing(writers, func() {
			_ = wait(t.Context(), time.Duration(random.IntN(300))*time.Millisecond)
			s.kill("control")
		})
		slowest = max(slowest, s.again("control"))
		s.verify()
		var fresh map[string]int
		fresh, last = s.events(last)
		for k, v := range fresh {
			onRecord[k] += v
		}
		stands := s.titles()
		for _, w := range writers {
			w.hold(t, stands, onRecord)
		}
		if t.Failed() {
			t.Fatalf("in round %d; -fault.seed=%d", round, *seed)
		}
	}
	s.stop("control")
	changes, events := s.history("control", "Application")
	if changes != events {
		t.Errorf("the database holds %d changes of applications and %d events of them", changes, events)
	}
	acked, refused, all := 0, 0, 0
	for _, w := range writers {
		for _, a := range w.attempts {
			all++
			if a.refused {
				refused++
			}
			if a.acked {
				acked++
			}
		}
	}
	if acked < n {
		t.Errorf("only %d changes were acknowledged in %d rounds: there was nothing to lose", acked, n)
	}
	if slowest > 10*time.Second {
		t.Errorf("serving again took %s", slowest)
	}
	t.Logf("%d kills; %d of %d changes acknowledged, none lost, %d refused; %d changes, %d events; serving again within %s", n, acked, all, refused, changes, events, slowest)
}
