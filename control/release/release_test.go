package catalog

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
)

var orders = Ref{Team: "payments", Name: "orders", Version: "v1"}

// as is the world's context on behalf of someone else.
func (w *world) as(actor string) context.Context {
	return audit.WithRequest(w.ctx, audit.Request{Actor: actor, Authentication: "token:y"})
}

func mustRelease(t *testing.T, r Released, err error) Released {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRevisionGoesFromDevToProd is the way of one revision, with everything on
// it that must be refused.
func TestRevisionGoesFromDevToProd(t *testing.T) {
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			w.apply(base(t))
			first := w.head("payments/orders@v1")
			refused := func(err error, kind gatehouse.ErrorKind, want string) {
				t.Helper()
				if !gatehouse.Is(err, kind) || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v of kind %q, want %q of kind %q", err, gatehouse.KindOf(err), want, kind)
				}
			}
			_, err := w.Promote(w.ctx, orders, "dev", "prod", Terms{Note: ""})
			refused(err, gatehouse.Conflict, `not, and was not, live in "qa"`)
			_, err = w.Promote(w.ctx, orders, "qa", "prod", Terms{Note: ""})
			refused(err, gatehouse.Conflict, `not released in "qa"`)
			_, err = w.Release(w.ctx, orders, "nowhere", Terms{Note: ""})
			refused(err, gatehouse.NotFound, `no environment "nowhere"`)
			_, err = w.Release(w.ctx, Ref{Team: "payments", Name: "orders", Version: "v9"}, "qa", Terms{Note: ""})
			refused(err, gatehouse.NotFound, `no version "v9"`)

			r, err := w.Promote(w.ctx, orders, "dev", "qa", Terms{Note: ""})
			if mustRelease(t, r, err).Revision != first || r.Seq == 0 || r.State != Wanted {
				t.Errorf("in qa: got %+v", r)
			}
			r, err = w.Promote(w.ctx, orders, "dev", "qa", Terms{Note: ""})
			if mustRelease(t, r, err).Seq != 0 {
				t.Error("promoting what is there wrote something")
			}
			r, err = w.Promote(w.ctx, orders, "qa", "prod", Terms{Note: "please"})
			if mustRelease(t, r, err).State != Requested || r.Proposed != first || r.Revision != "" {
				t.Errorf("asked for in prod: got %+v", r)
			}
			_, err = w.ApproveRelease(w.ctx, orders, "prod", "")
			refused(err, gatehouse.Denied, `"user:alice@example.com" asked for it`)
			r, err = w.ApproveRelease(w.as("user:bob@example.com"), orders, "prod", "looks good")
			if mustRelease(t, r, err).State != Wanted || r.Revision != first || r.Proposed != "" || r.By != "user:alice@example.com" {
				t.Errorf("approved: got %+v", r)
			}
			rec, err := w.db.Get(w.ctx, "Approval/prod/payments/orders/v1/"+first)
			var a Approval
			if err != nil || json.Unmarshal(rec.Value, &a) != nil || a.DecidedBy != "user:bob@example.com" || a.RequestedBy != "user:alice@example.com" {
				t.Errorf("the approval's record: %+v, %v", a, err)
			}
			_, err = w.ApproveRelease(w.as("user:bob@example.com"), orders, "prod", "")
			refused(err, gatehouse.Conflict, "no release waits")

			w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
			second := w.head("payments/orders@v1")
			_, err = w.Release(w.ctx, orders, "prod", Terms{Note: ""})
			refused(err, gatehouse.Conflict, `live in "qa"`)
			r, err = w.Release(w.ctx, orders, "qa", Terms{Note: ""})
			mustRelease(t, r, err)
			r, err = w.Promote(w.ctx, orders, "qa", "prod", Terms{Note: ""})
			if mustRelease(t, r, err).Revision != first || r.Proposed != second {
				t.Errorf("what is live must stay so while another waits: %+v", r)
			}
			r, err = w.RejectRelease(w.as("user:bob@example.com"), orders, "prod", "not now")
			if mustRelease(t, r, err).Revision != first || r.State != Wanted || r.Proposed != "" {
				t.Errorf("rejected: got %+v", r)
			}
			r, err = w.Rollback(w.ctx, orders, "qa", "")
			if mustRelease(t, r, err).Revision != first || r.Previous != second {
				t.Errorf("rolled back: got %+v", r)
			}
			_, err = w.Rollback(w.ctx, orders, "prod", "")
			refused(err, gatehouse.Conflict, "no revision was live there before")
			// A rollback in an automatic environment stays until there is something new.
			r, err = w.Rollback(w.ctx, orders, "dev", "")
			if mustRelease(t, r, err).Revision != first {
				t.Errorf("rolled back in dev: got %+v", r)
			}
			w.apply(Request{Documents: docs(t, strings.Replace(backendDoc, "8081", "8091", 1))})
			if got := w.released("dev", "payments/orders@v1").Revision; got != first {
				t.Errorf("a change of the backend undid the rollback: %s", got)
			}
			if _, err := w.Withdraw(w.ctx, orders, "qa", Terms{Note: "over"}); err != nil || w.released("qa", "payments/orders@v1") != nil {
				t.Errorf("withdrawing: %v", err)
			}
		})
	}
}

func TestMissingBackendBindingIsNamed(t *testing.T) {
	w := newWorld(t)
	req := base(t)
	const dev = `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`
	req.Documents = append(docs(t, teamDoc, devDoc, qaDoc, dev), apiDoc(t, "orders", "/orders/v1", ""))
	w.apply(req)
	_, err := w.Promote(w.ctx, orders, "dev", "qa", Terms{Note: ""})
	const want = `promoting "payments/orders@v1", environment "qa": backend "payments/orders" has no targets in environment "qa"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestEntriesTellWhatInstancesRun has three instances: one up to date, one
// behind, one that set the API aside; and asks about the past.
func TestEntriesTellWhatInstancesRun(t *testing.T) {
	w := newWorldOn(t, memory.New())
	w.apply(base(t))
	first := w.head("payments/orders@v1")
	dev, err := w.Get(w.ctx, gatehouse.KindEnvironment, "", "dev", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	then := dev.Time
	all, err := w.Entries(w.ctx, Selection{})
	if err != nil || len(all) != 1 || all[0].State != StateNoGateway || all[0].Environment != "dev" || all[0].Path != "/orders/v1" {
		t.Fatalf("without a gateway: %+v, %v", all, err)
	}
	w.apply(Request{Documents: docs(t, `{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"dev-1"},"spec":{"environment":"dev","location":{"cloud":"aws","region":"eu-central-1"}}}`)})
	behind, _ := w.db.Head(w.ctx)
	w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
	second := w.head("payments/orders@v1")
	now, _ := w.db.Head(w.ctx)
	ack := func(instance string, a report.Ack) {
		t.Helper()
		text, err := json.Marshal(gatehouse.Instance{Gateway: "dev-1", Instance: instance, Ack: a})
		if err == nil {
			_, err = w.db.Apply(w.ctx, store.Batch{Writes: []store.Write{{Key: "Instance/dev-1/" + instance, Kind: "Instance", Value: text, Expect: store.Any}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ack("a", report.Ack{Serial: int64(now.Seq)})
	state := func() Entry {
		t.Helper()
		all, err := w.Entries(w.ctx, Selection{Environment: "dev", Team: "payments", API: "orders"})
		if err != nil || len(all) != 1 {
			t.Fatalf("entries: %+v, %v", all, err)
		}
		return all[0]
	}
	if e := state(); e.State != StateLive || e.Instances[0].Revision != second || e.Location.Region != "eu-central-1" || e.Access != "open" {
		t.Errorf("one up to date: %+v", e)
	}
	ack("b", report.Ack{Serial: int64(behind.Seq)})
	if e := state(); e.State != StatePending || e.Instances[1].Revision != first {
		t.Errorf("one behind: %+v", e)
	}
	ack("c", report.Ack{Serial: int64(now.Seq), Standing: report.Standing{Aside: []report.Refusal{{API: "payments/orders@v1", Revision: second, Reason: "unknown policy"}}}})
	if e := state(); e.State != StateRefused || e.Instances[2].Reason != "unknown policy" || e.Instances[2].Revision != "" {
		t.Errorf("one set aside: %+v", e)
	}
	past, err := w.Entries(w.ctx, Selection{AsOf: then})
	if err != nil || len(past) != 1 || past[0].Revision != first || past[0].State != StateNoGateway {
		t.Errorf("in the past: %+v, %v", past, err)
	}
	if past, err = w.Entries(w.ctx, Selection{AsOf: then.Add(-time.Hour)}); err != nil || len(past) != 0 {
		t.Errorf("before everything: %+v, %v", past, err)
	}
}

func TestExportThenImportGivesIdenticalRevisions(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	views, contents, err := w.Export(w.ctx, Scope{})
	if err != nil {
		t.Fatal(err)
	}
	req := Request{Files: contents}
	for _, v := range views {
		req.Documents = append(req.Documents, Document{Object: v.Object, Files: v.Files})
	}
	empty := newWorld(t)
	empty.apply(req)
	if got, want := empty.head("payments/orders@v1"), w.head("payments/orders@v1"); got != want {
		t.Errorf("imported as revision %s, exported as %s", got, want)
	}
	views, _, err = w.Export(w.ctx, Scope{Team: "payments"})
	if err != nil || len(views) != 3 {
		t.Errorf("a team's export holds %d documents, %v; want Team, Backend, API", len(views), err)
	}
}

func TestEffectiveFillsDefaultsAndKeepsWhatWasSent(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	v, err := w.Get(w.ctx, gatehouse.KindAPI, "payments", "orders", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	full, err := v.Effective()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"lifecycle":"published"`, `"access":"subscription"`, `"audience":"internal"`} {
		if !strings.Contains(string(full.Text), want) || strings.Contains(string(v.Text), want) {
			t.Errorf("%s: effective %s, sent %s", want, full.Text, v.Text)
		}
	}
}
