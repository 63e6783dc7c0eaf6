package link

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"gatehouse/report"
	"gatehouse/snapshot"
)

// NewServer answers the protocol from a source. It must be served with TLS
// whose client certificates are verified if given: a request without one may
// only join.
func NewServer(source Source, log *slog.Logger) http.Handler {
	s := &server{source, log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Prefix+"join", s.join)
	mux.HandleFunc("POST "+Prefix+"renew", s.peer(s.renew))
	mux.HandleFunc("POST "+Prefix+"manifest", s.peer(s.manifest))
	mux.HandleFunc("POST "+Prefix+"chunks", s.peer(s.chunks))
	mux.HandleFunc("POST "+Prefix+"acks", s.peer(s.ack))
	mux.HandleFunc("POST "+Prefix+"counts", s.peer(s.counts))
	mux.HandleFunc("POST "+Prefix+"leases", s.peer(s.leases))
	return mux
}

type server struct {
	source Source
	log    *slog.Logger
}

// peer admits a request with a certificate of the installation.
func (s *server) peer(h func(http.ResponseWriter, *http.Request, Peer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			s.fail(w, r, Errorf(http.StatusUnauthorized, "the link needs the certificate that joining gives"))
			return
		}
		cert := r.TLS.VerifiedChains[0][0]
		gateway, instance, ok := strings.Cut(cert.Subject.CommonName, "/")
		if !ok {
			s.fail(w, r, Errorf(http.StatusUnauthorized, "certificate %x is not that of a gateway's instance", cert.SerialNumber))
			return
		}
		p := Peer{Gateway: gateway, Instance: instance, Certificate: cert.SerialNumber.Text(16), Address: host(r)}
		if err := s.source.Admit(r.Context(), p); err != nil {
			s.fail(w, r, err)
			return
		}
		h(w, r, p)
	}
}

// host is where the request came from: without the port, which another connection
// of the same instance does not have.
func host(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

func (s *server) join(w http.ResponseWriter, r *http.Request) {
	var j Join
	if !s.read(w, r, 64<<10, &j) {
		return
	}
	if r.TLS == nil {
		s.fail(w, r, Errorf(http.StatusUpgradeRequired, "joining needs TLS: name the control plane by an https address (--control, GATEHOUSE_CONTROL); the join token vouches for its certificate"))
		return
	}
	if j.Protocol < 1 {
		s.fail(w, r, Errorf(http.StatusBadRequest, "protocol %d is not known; this control plane speaks %d", j.Protocol, Protocol))
		return
	}
	welcome, err := s.source.Join(r.Context(), host(r), &j)
	s.answer(w, r, welcome, err)
}

func (s *server) renew(w http.ResponseWriter, r *http.Request, p Peer) {
	var in Renewal
	if s.read(w, r, 64<<10, &in) {
		welcome, err := s.source.Renew(r.Context(), p, &in)
		s.answer(w, r, welcome, err)
	}
}

func (s *server) manifest(w http.ResponseWriter, r *http.Request, p Peer) {
	var in Poll
	if !s.read(w, r, 1<<20, &in) {
		return
	}
	wait := min(max(time.Duration(in.Wait)*time.Second, 0), MaxWait)
	// Waiting outlives the deadline that servers put on answers.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + 30*time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	delta, err := s.source.Manifest(ctx, p, in.Have, in.Health)
	s.count(w, p)
	if err == nil && delta == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.answer(w, r, delta, err)
}

func (s *server) chunks(w http.ResponseWriter, r *http.Request, p Peer) {
	size := len(snapshot.Hash{})
	data, err := readAll(http.MaxBytesReader(w, r.Body, int64(MaxHashes*size)), r.Header.Get("Content-Encoding"), int64(MaxHashes*size))
	if err != nil || len(data)%size != 0 {
		s.fail(w, r, Errorf(http.StatusBadRequest, "the body is not a list of at most %d hashes", MaxHashes))
		return
	}
	hashes := make([]snapshot.Hash, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		hashes = append(hashes, snapshot.Hash(data[:size]))
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * time.Minute))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Encoding", encoded)
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	sent := 0
	err = s.source.Chunks(r.Context(), p, hashes, func(h snapshot.Hash, data []byte) error {
		if sent > 0 && sent+len(data) > MaxAnswer {
			return errEnough
		}
		sent += len(data)
		if _, err := z.Write(appendFrameHead(nil, h, len(data))); err != nil {
			return err
		}
		_, err := z.Write(data)
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		s.log.Warn("sending chunks", "gateway", p.Gateway, "instance", p.Instance, "error", err)
		panic(http.ErrAbortHandler) // cut the answer so that its end cannot be mistaken for the end
	}
	if err := z.Close(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

var errEnough = errors.New("answer is full")

func (s *server) ack(w http.ResponseWriter, r *http.Request, p Peer) {
	var in report.Ack
	if s.read(w, r, MaxRequest, &in) {
		in.Gateway, in.Instance = p.Gateway, p.Instance // the certificate's word, not the body's
		s.answer(w, r, nil, s.source.Ack(r.Context(), p, &in))
	}
}

func (s *server) counts(w http.ResponseWriter, r *http.Request, p Peer) {
	var in report.Batch
	if s.read(w, r, MaxRequest, &in) {
		in.Gateway, in.Instance = p.Gateway, p.Instance
		s.answer(w, r, nil, s.source.Counts(r.Context(), p, &in))
	}
}

func (s *server) leases(w http.ResponseWriter, r *http.Request, p Peer) {
	var in []Lease
	if !s.read(w, r, 1<<20, &in) {
		return
	}
	if len(in) > MaxLeases {
		s.fail(w, r, Errorf(http.StatusRequestEntityTooLarge, "more than %d leases asked for at once", MaxLeases))
		return
	}
	grants, err := s.source.Leases(r.Context(), p, in)
	s.count(w, p)
	s.answer(w, r, grants, err)
}

// count says how many instances there are.
func (s *server) count(w http.ResponseWriter, p Peer) {
	if c, ok := s.source.(Counter); ok {
		w.Header().Set(instancesField, strconv.Itoa(c.InstancesWith(p)))
	}
}

// read decodes the request or answers why not.
func (s *server) read(w http.ResponseWriter, r *http.Request, limit int64, v any) bool {
	err := unpack(http.MaxBytesReader(w, r.Body, limit), r.Header.Get("Content-Encoding"), limit, v)
	switch {
	case err == nil:
		return true
	case errors.Is(err, errTooLarge):
		s.fail(w, r, Errorf(http.StatusRequestEntityTooLarge, "%s: more than %d bytes", r.URL.Path, limit))
	default:
		s.fail(w, r, Errorf(http.StatusBadRequest, "%s: %v", r.URL.Path, err))
	}
	return false
}

// answer writes v, or nothing when v is nil, or the error.
func (s *server) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, encoding, err := pack(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	_, _ = w.Write(body) // a peer that went asks again
}

// fail answers an error. The text of one that is not an *Error stays here.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		if r.Context().Err() == nil {
			s.log.Error("answering the link", "path", r.URL.Path, "error", err)
		}
		e = Errorf(http.StatusInternalServerError, "the control plane failed to answer; its log says why")
	}
	body, _, _ := pack(e)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}
