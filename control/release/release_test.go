package release_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
)

// TestRevisionGoesFromDevToProd is the way of one revision, with everything on
// it that must be refused.
func TestRevisionGoesFromDevToProd(t *testing.T) {
	for name, open := range releasetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			w := releasetest.NewOn(t, open(t))
			w.MustApply(releasetest.Base(t))
			first := w.HeadOf("payments/orders@v1")
			refused := func(err error, kind gatehouse.ErrorKind, want string) {
				t.Helper()
				if !gatehouse.Is(err, kind) || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v of kind %q, want %q of kind %q", err, gatehouse.KindOf(err), want, kind)
				}
			}
			_, err := w.Promote(w.Ctx, releasetest.Orders, "dev", "prod", release.Terms{Note: ""})
			refused(err, gatehouse.Conflict, `not, and was not, live in "qa"`)
			_, err = w.Promote(w.Ctx, releasetest.Orders, "qa", "prod", release.Terms{Note: ""})
			refused(err, gatehouse.Conflict, `not released in "qa"`)
			_, err = w.Release(w.Ctx, releasetest.Orders, "nowhere", release.Terms{Note: ""})
			refused(err, gatehouse.NotFound, `no environment "nowhere"`)
			_, err = w.Release(w.Ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v9"}, "qa", release.Terms{Note: ""})
			refused(err, gatehouse.NotFound, `no version "v9"`)

			r, err := w.Promote(w.Ctx, releasetest.Orders, "dev", "qa", release.Terms{Note: ""})
			if w.OK(r, err).Revision != first || r.Seq == 0 || r.State != gatehouse.ReleaseWanted {
				t.Errorf("in qa: got %+v", r)
			}
			r, err = w.Promote(w.Ctx, releasetest.Orders, "dev", "qa", release.Terms{Note: ""})
			if w.OK(r, err).Seq != 0 {
				t.Error("promoting what is there wrote something")
			}
			r, err = w.Promote(w.Ctx, releasetest.Orders, "qa", "prod", release.Terms{Note: "please"})
			if w.OK(r, err).State != gatehouse.ReleaseRequested || r.Proposed != first || r.Revision != "" {
				t.Errorf("asked for in prod: got %+v", r)
			}
			_, err = w.Approve(w.Ctx, releasetest.Orders, "prod", release.Word{})
			refused(err, gatehouse.Denied, `"user:alice@example.com" asked for it`)
			r, err = w.Approve(w.As("user:bob@example.com"), releasetest.Orders, "prod", release.Word{Reason: "looks good"})
			if w.OK(r, err).State != gatehouse.ReleaseWanted || r.Revision != first || r.Proposed != "" || r.By != "user:alice@example.com" {
				t.Errorf("approved: got %+v", r)
			}
			rec, err := w.DB.Get(w.Ctx, "Approval/prod/payments/orders/v1/"+first)
			var a release.Approval
			if err != nil || json.Unmarshal(rec.Value, &a) != nil || a.DecidedBy != "user:bob@example.com" || a.RequestedBy != "user:alice@example.com" {
				t.Errorf("the approval's record: %+v, %v", a, err)
			}
			_, err = w.Approve(w.As("user:bob@example.com"), releasetest.Orders, "prod", release.Word{})
			refused(err, gatehouse.Conflict, "no release waits")

			w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
			second := w.HeadOf("payments/orders@v1")
			_, err = w.Release(w.Ctx, releasetest.Orders, "prod", release.Terms{Note: ""})
			refused(err, gatehouse.Conflict, `live in "qa"`)
			r, err = w.Release(w.Ctx, releasetest.Orders, "qa", release.Terms{Note: ""})
			w.OK(r, err)
			r, err = w.Promote(w.Ctx, releasetest.Orders, "qa", "prod", release.Terms{Note: ""})
			if w.OK(r, err).Revision != first || r.Proposed != second {
				t.Errorf("what is live must stay so while another waits: %+v", r)
			}
			r, err = w.Reject(w.As("user:bob@example.com"), releasetest.Orders, "prod", release.Word{Reason: "not now"})
			if w.OK(r, err).Revision != first || r.State != gatehouse.ReleaseWanted || r.Proposed != "" {
				t.Errorf("rejected: got %+v", r)
			}
			r, err = w.Rollback(w.Ctx, releasetest.Orders, "qa", "")
			if w.OK(r, err).Revision != first || r.Previous != second {
				t.Errorf("rolled back: got %+v", r)
			}
			_, err = w.Rollback(w.Ctx, releasetest.Orders, "prod", "")
			refused(err, gatehouse.Conflict, "no revision was live there before")
			// A rollback in an automatic environment stays until there is something new.
			r, err = w.Rollback(w.Ctx, releasetest.Orders, "dev", "")
			if w.OK(r, err).Revision != first {
				t.Errorf("rolled back in dev: got %+v", r)
			}
			w.MustApply(catalog.Request{Documents: releasetest.Docs(t, strings.Replace(releasetest.BackendDoc, "8081", "8091", 1))})
			if got := w.Released("dev", "payments/orders@v1").Revision; got != first {
				t.Errorf("a change of the backend undid the rollback: %s", got)
			}
			if _, err := w.Withdraw(w.Ctx, releasetest.Orders, "qa", release.Terms{Note: "over"}); err != nil || w.Released("qa", "payments/orders@v1") != nil {
				t.Errorf("withdrawing: %v", err)
			}
		})
	}
}

func TestMissingBackendBindingIsNamed(t *testing.T) {
	w := releasetest.New(t)
	req := releasetest.Base(t)
	const dev = `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`
	req.Documents = append(releasetest.Docs(t, releasetest.TeamDoc, releasetest.DevDoc, releasetest.QADoc, dev), releasetest.APIDoc(t, "orders", "/orders/v1", ""))
	w.MustApply(req)
	_, err := w.Promote(w.Ctx, releasetest.Orders, "dev", "qa", release.Terms{Note: ""})
	const want = `promoting "payments/orders@v1", environment "qa": backend "payments/orders" has no targets in environment "qa"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
