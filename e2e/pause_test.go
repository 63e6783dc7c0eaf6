package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gatehouse/adminapi"
)

// freeze is how long a process is stopped.
const freeze = 2 * time.Second

// TestChaosPause stops the control plane, and then the gateway, for seconds and
// lets them go on: callers of a gateway notice nothing of the first, and of the
// second only that it takes longer; nothing is lost, no answer is another's.
func TestChaosPause(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	s.gateway("edge", "--report-interval", flush.String())
	s.inStep(1)
	l := callers(t.Context(), 4, 2*time.Millisecond, new(http.Transport), func() string { return s.at["edge"] + "/pets" })
	w := &writer{name: "a"}
	stopped := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stopped:
				return
			default:
			}
			if err := w.next(t.Context(), s); err != nil {
				t.Errorf("writing: %v", err)
				return
			}
			_ = wait(t.Context(), 5*time.Millisecond)
		}
	}()
	n := rounds(2, 10)
	var frozen []answered
	for range n {
		begin := len(l.sofar())
		s.freeze("control", freeze)
		frozen = append(frozen, l.sofar()[begin:]...)
		s.freeze("edge", freeze)
		_ = wait(t.Context(), 200*time.Millisecond)
	}
	close(stopped)
	<-done
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("a call was answered %d, %v", a.status, a.err)
		}
	}
	if len(frozen) < 10*n {
		t.Errorf("only %d calls were answered in %d times %s without the control plane", len(frozen), n, freeze)
	}
	onRecord, _ := s.events(0)
	w.hold(t, s.titles(), onRecord)
	s.verify()
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })
	if err := s.put(t.Context(), "after", "mark-after-"); err != nil {
		t.Error(err)
	}
	s.inStep(1)
	t.Logf("%d times %s each: %d calls and %d changes, all right; %d calls while the control plane stood still", n, freeze, len(answers), len(w.attempts), len(frozen))
}

// exactly is nil when so many good calls of an API are counted.
func (s *site) exactly(api string, calls int) error {
	counted, err := s.counted(adminapi.UsageRequest{By: []string{"api"}, Class: "2"}, func(r adminapi.UsageRow) string { return r.API })
	if err == nil && counted[api] != int64(calls) {
		err = fmt.Errorf("%d calls of %s were answered, %d are counted", calls, api, counted[api])
		if counted[api] > int64(calls) {
			s.t.Fatal(errors.Join(err, errors.New("some were counted twice")))
		}
	}
	return err
}
