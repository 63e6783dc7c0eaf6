package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
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

// lease is how long a request that another process began counts as under way:
// longer than nearly all take. Nothing rests on it: whose reservation was taken
// over cannot commit.
const lease = time.Minute

// settling is how old a reservation is at least before its process is taken for
// ended by the store's roll: a connection that broke is made anew sooner.
const settling = 5 * time.Second

// A remembered answer, or the reservation for one. Done is set in the
// transaction of the change itself, so that after a kill it is known whether
// the request was carried out.
type remembered struct {
	Request string    `json:"request"` // SHA-256 of method, path and body
	Time    time.Time `json:"time"`
	By      string    `json:"by,omitempty"` // the process that began it
	Done    bool      `json:"done"`
	Status  int       `json:"status,omitempty"` // 0: the answer was not written down
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
	mine := remembered{Request: hex.EncodeToString(sum[:]), Time: time.Now().UTC(), By: s.process}
	slot := kindIdempotency + "/" + hex.EncodeToString(who[:])
	if _, busy := s.underWay.LoadOrStore(slot, true); busy {
		s.repeat(ctx, &remembered{Request: mine.Request, Time: mine.Time, By: mine.By}, mine.Request)
		return
	}
	defer s.underWay.Delete(slot)

	r, earlier, err := s.claim(ctx.Context(), slot, mine)
	switch {
	case err != nil:
		s.refuse(ctx, err)
		return
	case earlier != nil:
		s.repeat(ctx, earlier, mine.Request)
		return
	}
	rec := &recorder{inner: huma.WithContext(ctx, audit.WithAlong(ctx.Context(), &audit.Along{Write: r.write, Wrote: r.wrote})), body: bytes.NewReader(body)}
	next(rec)
	if err := s.settle(context.WithoutCancel(ctx.Context()), r, rec); err != nil {
		s.Log.Error("remembering an answer", "error", err)
	}
}

// settle writes down what became of a request. Where that fails, the slot tells
// what its commit wrote, or that it made none.
func (s *Server) settle(ctx context.Context, r *reservation, rec *recorder) error {
	m, st := &r.remembered, stateOf(ctx)
	failed, secret := rec.Status() >= 500, st != nil && st.op.Secret
	switch {
	case m.Done && (failed || secret):
		return nil // that it was carried out is written; there is no answer to keep
	case failed || rec.Status() == http.StatusForbidden && !m.Done:
		// A fault may pass, and a permission may be given: the repetition tries again.
		_, err := s.DB.Apply(ctx, store.Batch{Writes: []store.Write{{Key: r.slot, Kind: kindIdempotency, Expect: r.rev}}})
		return err
	}
	m.Done, m.Status, m.Type, m.ETag = true, rec.Status(), rec.kind, rec.etag
	if rec.out.Len() <= maxRemembered && !secret {
		m.Body, m.Kept = rec.out.Bytes(), true
	}
	return s.put(ctx, r)
}

// repeat gives the earlier answer again.
func (s *Server) repeat(ctx huma.Context, r *remembered, request string) {
	at := r.Time.Format(time.RFC3339)
	switch {
	case r.Request != request:
		s.refuse(ctx, gatehouse.E(gatehouse.Invalid, "this Idempotency-Key was used for another request; take a new key"))
	case !r.Done:
		wait := s.patience(r)
		ctx.SetHeader("Retry-After", strconv.Itoa(int(wait.Seconds())))
		s.refuse(ctx, gatehouse.E(gatehouse.Conflict, "a request with this Idempotency-Key has been under way since %s; ask again with the same key in %d s", at, int(wait.Seconds())))
	case !r.Kept && r.Status == 0 && ctx.Operation().DefaultStatus == http.StatusNoContent:
		ctx.SetHeader("Idempotency-Replayed", "true")
		ctx.SetStatus(http.StatusNoContent)
	case !r.Kept && r.Status == 0 && !stateOf(ctx.Context()).op.Secret:
		s.refuse(ctx, gatehouse.E(gatehouse.Conflict, "this request was carried out at %s, and only its answer was lost; read the object, its change is recorded", at))
	case !r.Kept:
		s.refuse(ctx, gatehouse.E(gatehouse.Conflict, "this request was carried out at %s; its answer has a secret in it and is shown only once. If it did not reach you, revoke what was made and make another", at))
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
