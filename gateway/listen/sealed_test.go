package listen

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A sink takes what is written, or fails or waits.
type sink struct {
	net.Conn
	mu     sync.Mutex // guards what follows
	writes []string
	fails  error
	wait   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-s.closed:
			return 0, net.ErrClosed
		}
	}
	if s.fails != nil {
		return 0, s.fails
	}
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func newSealed(s *sink) *sealed {
	s.closed = make(chan struct{})
	o := Options{}
	o.defaults()
	return &sealed{Conn: s, of: &conn{server: &Server{o: o}}, gathers: true}
}

// What is written while nobody else has the processor leaves in one write.
func TestWritesAreGathered(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	to := new(sink)
	s := newSealed(to)
	for _, p := range []string{"head", "content", "end"} {
		if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatalf("%s: got %d, %v", p, n, err)
		}
	}
	for i := 0; len(to.got()) == 0; i++ {
		if runtime.Gosched(); i > 1000 {
			t.Fatal("nothing is sent")
		}
	}
	if got := to.got(); len(got) != 1 || got[0] != "headcontentend" {
		t.Errorf("got %q, want one write", got)
	}
	s.mu.Lock()
	if s.box != nil || s.due {
		t.Error("a connection at rest holds a buffer")
	}
	s.mu.Unlock()
}

// Whatever the sizes, all comes, in order, and what waits when it is closed too.
func TestGatheredInOrder(t *testing.T) {
	to := new(sink)
	s := newSealed(to)
	var want strings.Builder
	for i := range 500 {
		p := strings.Repeat(string(rune('a'+i%26)), (i*i*37)%(gatherRoom+gatherRoom/4))
		want.WriteString(p)
		if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		if i%7 == 0 {
			runtime.Gosched()
		}
	}
	s.Write([]byte("last"))
	s.mu.Lock() // whoever sends has sent
	s.mu.Unlock()
	s.Close()
	s.mu.Lock()
	s.mu.Unlock()
	want.WriteString("last")
	if got := strings.Join(to.got(), ""); got != want.String() {
		t.Errorf("%d bytes came of %d, or in another order", len(got), want.Len())
	}
}

// An error that comes when nobody waits for it ends the connection, and the next
// Write tells.
func TestGatheredFails(t *testing.T) {
	to := &sink{fails: errors.New("reset")}
	s := newSealed(to)
	s.Write([]byte("head"))
	select {
	case <-to.closed:
	case <-time.After(10 * time.Second):
		t.Fatal("the connection stays open")
	}
	if _, err := s.Write([]byte("more")); err == nil || err.Error() != "reset" {
		t.Errorf("the next write: got %v", err)
	}
}

// A caller who takes nothing does not keep the connection from being closed.
func TestGatheredIsClosed(t *testing.T) {
	to := &sink{wait: make(chan struct{})}
	s := newSealed(to)
	s.Write([]byte("head"))
	for s.mu.TryLock() { // until it is being sent
		s.mu.Unlock()
		runtime.Gosched()
	}
	closed := make(chan struct{})
	go func() { s.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits")
	}
}
