package upstream

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
)

// An early passes on interim answers of one stream of HTTP/2. They come to the
// goroutine that reads for all streams of the connection, which must not wait for
// one caller: another takes them there, once there are any.
type early struct {
	to policy.Early

	mu    sync.Mutex // guards what follows
	queue chan interim
	over  bool
	done  chan struct{}
}

type interim struct {
	status int
	h      policy.Header
}

var errManyInterim = errors.New("answer has too many interim ones before it")

// of makes r tell what comes; whoever sends r ends it. It returns nil when nobody
// wants to hear.
func (e *early) of(r *http.Request) *http.Request {
	if e.to == nil {
		return r
	}
	trace := &httptrace.ClientTrace{Got1xxResponse: e.got}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
}

func (e *early) got(status int, h textproto.MIMEHeader) error {
	if status <= http.StatusSwitchingProtocols {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return nil
	}
	if e.queue == nil {
		e.queue, e.done = make(chan interim, h1.MaxInterim), make(chan struct{})
		go e.pass(e.queue)
	}
	select {
	case e.queue <- interim{status, appendFields(nil, http.Header(h))}:
		return nil
	default:
		return errManyInterim
	}
}

func (e *early) pass(queue <-chan interim) {
	defer close(e.done)
	for i := range queue {
		e.to.Interim(i.status, i.h)
	}
}

// end waits until all that came has been passed on.
func (e *early) end() {
	e.mu.Lock()
	e.over = true
	queue := e.queue
	e.mu.Unlock()
	if queue != nil {
		close(queue)
		<-e.done
	}
}
