package release

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// KindApproval is the kind of the records of who let a release through.
const KindApproval gatehouse.Kind = "Approval"

// An Approval is what came of a requested release, kept under
// "Approval/<environment>/<team>/<name>/<version>/<revision>"; its history
// holds earlier ones on the same revision. What each person said is a
// [gatehouse.Decision].
type Approval struct {
	Environment string    `json:"environment"`
	API         string    `json:"api"`
	Version     string    `json:"version"`
	Revision    string    `json:"revision"`
	Decision    string    `json:"decision"` // approved or rejected
	RequestedBy string    `json:"requestedBy"`
	Requested   time.Time `json:"requested"`
	DecidedBy   string    `json:"decidedBy"` // who had the last word
	Decided     time.Time `json:"decided"`
	Reason      string    `json:"reason,omitempty"`
}

// samePlan tells whether what waits is to come in the same way.
func samePlan(r *gatehouse.Release, terms Terms) bool {
	a, err := jsonx.Canonical(r.ProposedCanary)
	if err != nil {
		return false
	}
	b, err := jsonx.Canonical(terms.Canary)
	return err == nil && string(a) == string(b) && r.ProposedAt.Equal(terms.At) && r.Note == terms.Note
}

// needed is how many persons have to approve.
func (m *move) needed() int {
	if a := m.approvals(); a.Count > 0 {
		return a.Count
	}
	return 1
}

func (m *move) approvals() gatehouse.ReleaseApprovals {
	if m.rule.Release == nil || m.rule.Release.Approvals == nil {
		return gatehouse.ReleaseApprovals{}
	}
	return *m.rule.Release.Approvals
}

// decisions is where what is said on a request lies. The digest is of all that
// was asked for, so that a word on one request never counts for another.
func (m *move) decisions() (subject, digest string, err error) {
	digest, err = m.now.Requested()
	return "Release " + m.env + " " + m.ref.String(), digest, err
}

// said lists who has approved what waits, in order of their names.
func (m *move) said(ctx context.Context) ([]gatehouse.Decision, error) {
	subject, digest, err := m.decisions()
	if err != nil {
		return nil, err
	}
	page, err := m.d.db.List(ctx, store.Query{Kind: string(gatehouse.KindDecision), Prefix: decisionKey(subject, digest, ""), Limit: pageOf})
	if err != nil {
		return nil, err
	}
	all := make([]gatehouse.Decision, len(page.Records))
	for i, rec := range page.Records {
		if err := json.Unmarshal(rec.Value, &all[i]); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	return all, nil
}

func decisionKey(subject, digest, by string) string {
	return string(gatehouse.KindDecision) + "/" + subject + "/" + digest + "/" + by
}

// tellApprovals fills in how far the approval has come.
func (m *move) tellApprovals(ctx context.Context) (err error) {
	if m.now != nil && m.now.State == gatehouse.ReleaseRequested {
		m.out.Needed = m.needed()
		m.out.Approvals, err = m.said(ctx)
	}
	return err
}
