package h1

import (
	"sync/atomic"
	"syscall"
	"time"
)

// watchInterval is how often it is looked whether a caller still waits.
const watchInterval = 100 * time.Millisecond

// A watch ends a connection's context when the caller leaves while a request is
// in work. It looks at the socket now and then, only at requests that take
// longer than watchInterval, and takes no byte: so it costs the quick ones
// nothing but two stores.
type watch struct {
	c       *conn
	tls     bool
	timer   *time.Timer
	armed   atomic.Bool   // the timer runs
	serial  uint32        // of the last request
	waiting atomic.Uint32 // the request whose caller does nothing but wait; zero for none
	seen    uint32        // the request that was waiting at the last look
	look    func(fd uintptr)
	gone    bool
}

func (w *watch) begin(c *conn, tls bool) {
	w.c, w.tls = c, tls
	w.look = func(fd uintptr) { w.gone = gone(int(fd), w.tls) }
}

// wait begins when a request has been read to its end and nothing behind it.
func (w *watch) wait() {
	if w.c.socket == nil {
		return
	}
	if w.serial++; w.serial == 0 {
		w.serial++
	}
	w.waiting.Store(w.serial)
	if !w.armed.CompareAndSwap(false, true) {
		return
	}
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Hour, w.tick)
		w.timer.Stop() // tick reads the field: it is set before the timer runs
	}
	w.timer.Reset(watchInterval)
}

// done ends the wait.
func (w *watch) done() { w.waiting.Store(0) }

func (w *watch) tick() {
	s := w.waiting.Load()
	if s == 0 {
		w.armed.Store(false)
		if w.waiting.Load() == 0 || !w.armed.CompareAndSwap(false, true) {
			return
		}
	}
	if s != 0 && s == w.seen {
		w.gone = false
		if err := w.c.socket.Control(w.look); err != nil {
			return // closed by us
		}
		if w.gone && w.waiting.Load() == s {
			w.c.cancel()
			return
		}
	}
	w.seen = s
	w.timer.Reset(watchInterval)
}

func (w *watch) stop() {
	w.done()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// left looks at a socket without waiting and without taking a byte: it has ended,
// and nothing lies before the end.
func left(fd int) bool {
	var one [1]byte
	for {
		n, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if err != syscall.EINTR {
			return err == nil && n == 0 || err != nil && err != syscall.EAGAIN
		}
	}
}
