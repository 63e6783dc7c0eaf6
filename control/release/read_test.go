package release_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
)

// A word on the request that was read does not count for one that came in its
// place.
func TestApprovalIsOnWhatWasRead(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"approved"}`)
	first := w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "one"}))
	read, err := first.Requested()
	if err != nil {
		t.Fatal(err)
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	second := w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "two"}))
	waits, err := second.Requested()
	if err != nil {
		t.Fatal(err)
	}
	bob := w.As("user:bob@example.com")
	for _, word := range []release.Word{{Hash: read}, {Revision: first.Proposed[:10]}} {
		_, err = w.Approve(bob, releasetest.Cart, "prod", word)
		w.Wants(err, gatehouse.Lost, "read it again")
		if names := word.Hash == "" && strings.Contains(err.Error(), second.Proposed[:12]) && strings.Contains(err.Error(), first.Proposed[:10]) ||
			word.Hash != "" && strings.Contains(err.Error(), waits[:12]) && strings.Contains(err.Error(), read[:12]); !names {
			t.Errorf("%v does not name both", err)
		}
		_, err = w.Reject(bob, releasetest.Cart, "prod", word)
		w.Wants(err, gatehouse.Lost, "read it again")
	}
	if r := w.OK(w.Approve(bob, releasetest.Cart, "prod", release.Word{Hash: waits, Revision: second.Proposed[:10]})); r.Revision != second.Proposed {
		t.Errorf("released %+v", r.Release)
	}
}

// What was approved for later is asked for again when the environment asks for
// more by then.
func TestScheduleWhoseRuleAsksForMore(t *testing.T) {
	for _, tt := range []struct{ name, rule, state string }{
		{"as it was", `{"mode":"approved"}`, gatehouse.ReleaseWanted},
		{"two by now", `{"mode":"approved","approvals":{"count":2}}`, gatehouse.ReleaseRequested},
		{"a role that bob does not hold", `{"mode":"approved","approvals":{"role":"approver"}}`, gatehouse.ReleaseRequested},
		{"none any more", `{"mode":"manual"}`, gatehouse.ReleaseWanted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := releasetest.Town(t, `{"mode":"approved"}`)
			w.Holds = func(string, string, string) bool { return false }
			at := w.Now.Add(time.Hour)
			w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "one", At: at}))
			r := w.OK(w.Approve(w.As("user:bob@example.com"), releasetest.Cart, "prod", release.Word{}))
			if r.Schedule == nil || len(r.Schedule.ApprovedBy) != 1 {
				t.Fatalf("approved: %+v", r.Schedule)
			}
			w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.Prod(tt.rule))})
			w.Now = at
			out := w.OK(w.CarryOut(t.Context(), *r.Schedule, func() error { return nil }))
			if out.State != tt.state {
				t.Errorf("at its time it is %q, want %q: %+v", out.State, tt.state, out.Schedule)
			}
			if tt.state == gatehouse.ReleaseRequested && !strings.Contains(out.Schedule.Reason, "waits for approval again") {
				t.Errorf("the record says %q", out.Schedule.Reason)
			}
		})
	}
}
