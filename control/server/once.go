package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// idempotencyTime is how long the answer to an Idempotency-Key is kept.
const idempotencyTime = 24 * time.Hour

// kindIdempotency is the kind of the records that remember answers.
const kindIdempotency = "Idempotency"

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 255

// maxRemembered bounds the body of an answer that is kept, in bytes. A larger
// one is answered once; its repetition is told that it was done.
const maxRemembered = 256 << 10

// A remembered answer. Done is false while the first request is under way, and
// stays so when the process ended before its outcome could be written.
type remembered struct {
	Request string    `json:"request"` // SHA-256 of method, path and body
	Time    time.Time `json:"time"`
	Done    bool      `json:"done"`
	Status  int       `json:"status,omitempty"`
	Type    string    `json:"type,omitempty"`
	ETag    string    `json:"etag,omitempty"`
	Body    []byte    `json:"body,omitempty"`
	Kept    bool      `json:"kept,omitempty"`
}

// once carries a POST out at most one time for each caller and Idempotency-Key
// and repeats the first answer to the second asking. Answers that show a
// secret are not kept: the repetition is told that it was done.
func (s *Server) once(ctx huma.Context, key string, next func(huma.Context)) {
	if len(key) > maxKey {
		s.refuse(ctx, gatehouse.E(gatehouse.Invalid, "the Idempotency-Key has %d characters; at most %d will do", len(key), maxKey))
		return
	}
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), ctx.Operation().MaxBodyBytes+1))
	if err != nil {
		s.refuse(ctx, gatehouse.E(gatehouse.Invalid, "reading the request body: %w", err))
		return
	}
	u := ctx.URL()
	sum := sha256.Sum256([]byte(ctx.Method() + " " + u.RequestURI() + "\n" + string(body)))
	who := sha256.Sum256([]byte(audit.From(ctx.Context()).Actor + "\n" + key))
	slot := kindIdempotency + "/" + hex.EncodeToString(who[:])
	mine := remembered{Request: hex.EncodeToString(sum[:]), Time: time.Now().UTC()}

	rev, earlier, err := s.claim(ctx.Context(), slot, mine)
	switch {
	case err != nil:
		s.refuse(ctx, err)
		return
	case earlier != nil:
		s.repeat(ctx, earlier, mine.Request)
		return
	}
	rec := &recorder{inner: ctx, body: bytes.NewReader(body)}
	next(rec)
	mine.Done, mine.Status, mine.Type, mine.ETag = true, rec.Status(), rec.kind, rec.etag
	if st := stateOf(ctx.Context()); mine.Status < 500 && rec.out.Len() <= maxRemembered && !(st != nil && st.op.Secret) {
		mine.Body, mine.Kept = rec.out.Bytes(), true
	}
	if mine.Status >= 500 || mine.Status == http.StatusForbidden {
		// A fault may pass, and a permission may be given: the repetition tries again.
		err = s.forget(context.WithoutCancel(ctx.Context()), slot, rev)
	} else {
		_, err = s.remember(context.WithoutCancel(ctx.Context()), slot, mine, rev)
	}
	if err != nil {
		s.Log.Error("remembering an answer", "error", err)
	}
}

// claim takes the slot, or returns what is in it.
func (s *Server) claim(ctx context.Context, slot string, mine remembered) (store.Seq, *remembered, error) {
	expect := store.Absent
	if r, err := s.DB.Get(ctx, slot); err == nil {
		var earlier remembered
		if err := json.Unmarshal(r.Value, &earlier); err != nil {
			return 0, nil, err
		}
		if mine.Time.Sub(earlier.Time) < idempotencyTime {
			return 0, &earlier, nil
		}
		expect = r.Rev
	} else if !gatehouse.Is(err, gatehouse.NotFound) {
		return 0, nil, err
	}
	rev, err := s.remember(ctx, slot, mine, expect)
	if gatehouse.Is(err, gatehouse.Conflict) {
		return 0, &remembered{Request: mine.Request}, nil // another was quicker and is under way
	}
	return rev, nil, err
}

func (s *Server) remember(ctx context.Context, slot string, m remembered, expect store.Seq) (store.Seq, error) {
	value, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	return s.DB.Apply(ctx, store.Batch{Writes: []store.Write{{
		Key: slot, Kind: kindIdempotency, Value: value, Expect: expect, Index: map[string]string{"day": m.Time.Format(time.DateOnly)},
	}}})
}

func (s *Server) forget(ctx context.Context, slot string, expect store.Seq) error {
	_, err := s.DB.Apply(ctx, store.Batch{Writes: []store.Write{{Key: slot, Kind: kindIdempotency, Expect: expect}}})
	return err
}

// repeat gives the earlier answer again.
func (s *Server) repeat(ctx huma.Context, r *remembered, request string) {
	switch {
	case r.Request != request:
		s.refuse(ctx, gatehouse.E(gatehouse.Invalid, "this Idempotency-Key was used for another request; take a new key"))
	case !r.Done:
		s.refuse(ctx, gatehouse.E(gatehouse.Conflict, "a request with this Idempotency-Key is under way, or its outcome is not known; read the object before asking again"))
	case !r.Kept:
		s.refuse(ctx, gatehouse.E(gatehouse.Conflict, "this request was carried out at %s; its answer is shown only once", r.Time.Format(time.RFC3339)))
	default:
		ctx.SetHeader("Content-Type", r.Type)
		ctx.SetHeader("Idempotency-Replayed", "true")
		if r.ETag != "" {
			ctx.SetHeader("ETag", r.ETag)
		}
		ctx.SetStatus(r.Status)
		if r.Status != http.StatusNoContent {
			_, _ = ctx.BodyWriter().Write(r.Body) // an error here means the caller has gone
		}
	}
}

// SweepIdempotency deletes remembered answers older than they are kept.
func (s *Server) SweepIdempotency(ctx context.Context, now time.Time) error {
	day := now.UTC().Add(-2 * idempotencyTime).Format(time.DateOnly)
	page, err := s.DB.List(ctx, store.Query{Kind: kindIdempotency, Sort: "day", Limit: 1000})
	if err != nil {
		return err
	}
	var b store.Batch
	for _, r := range page.Records {
		var m remembered
		if json.Unmarshal(r.Value, &m) == nil && m.Time.Format(time.DateOnly) <= day {
			b.Writes = append(b.Writes, store.Write{Key: r.Key, Kind: kindIdempotency, Expect: r.Rev})
		}
	}
	if len(b.Writes) == 0 {
		return nil
	}
	_, err = s.DB.Apply(ctx, b)
	return err
}

// A recorder lets an answer pass and keeps a copy, up to a bound.
type recorder struct {
	inner
	body io.Reader
	out  bytes.Buffer
	kind string
	etag string
}

// inner has a name of its own because huma.Context has a method Context.
type inner = huma.Context

func (r *recorder) Unwrap() huma.Context  { return r.inner }
func (r *recorder) BodyReader() io.Reader { return r.body }

func (r *recorder) SetHeader(name, value string) {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Type":
		r.kind = value
	case "Etag":
		r.etag = value
	}
	r.inner.SetHeader(name, value)
}

func (r *recorder) BodyWriter() io.Writer {
	return io.MultiWriter(r.inner.BodyWriter(), bounded{&r.out})
}

// bounded keeps one byte more than is remembered, to know that it was too much.
type bounded struct{ *bytes.Buffer }

func (b bounded) Write(p []byte) (int, error) {
	if room := maxRemembered + 1 - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
