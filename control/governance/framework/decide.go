package framework

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// maxEvidence bounds the files that prove one decision.
const maxEvidence = 50

// A Word is what a person says on a version.
type Word struct {
	Comment  string
	Evidence []string // SHA-256 of files kept as Evidence
	// Hash of the text that the person read; "" is whichever waits.
	Hash string
}

// Approve adds a person's approval. With the last one that is needed the
// version is approved.
func (d *Desk) Approve(ctx context.Context, name, version string, w Word) (*Moved, error) {
	return d.move(ctx, "approving", "framework.approve", name, version, w.Comment, func(m *move) error {
		if err := m.waiting(w); err != nil {
			return err
		}
		v := m.state()
		authors, err := d.guard.Behind(ctx, append(slices.Clone(v.Authors), v.SubmittedBy)...)
		if err != nil {
			return err
		}
		switch {
		case m.actor == v.SubmittedBy:
			return gatehouse.E(gatehouse.Denied, "%q submitted it; someone else has to approve it", m.actor)
		case authors[m.actor]:
			return gatehouse.E(gatehouse.Denied, "%q is an author of this version, %s; someone else has to approve it", m.actor, how(m.actor, v.Authors))
		}
		if err := m.byOthers(ctx, authors); err != nil {
			return err
		}
		last, err := m.decided(ctx, gatehouse.Approved, w)
		if err != nil {
			return err
		}
		counted, _, err := m.count(ctx, *last)
		if err != nil || v.State == gatehouse.Approved || len(counted) < v.Approvals {
			return err
		}
		return m.approved(ctx, *last)
	})
}

// byOthers refuses whoever signed in with a token that an author made: it may be
// the author who uses it.
func (m *move) byOthers(ctx context.Context, authors map[string]bool) error {
	makers, err := m.guard.Makers(ctx)
	if err != nil {
		return err
	}
	for _, maker := range makers {
		if !authors[maker] {
			hands, err := m.guard.Hands(ctx, maker)
			if err != nil {
				return err
			}
			for s := range hands {
				if authors[s] {
					maker = s
				}
			}
		}
		if authors[maker] {
			return gatehouse.E(gatehouse.Denied, "the token of %q goes back to %q, an author of this version, who could have used it: "+
				"approve with one that no author made, or let somebody else write the version who makes no tokens for those who approve", m.actor, maker)
		}
	}
	return nil
}

// how says in which way somebody is an author.
func how(subject string, authors []string) string {
	for _, a := range authors {
		if a == subject {
			return "or stands behind a service account that is"
		}
	}
	return "by a service account they stand behind"
}

// approved is the version with all approvals, and its document as it reads now.
func (m *move) approved(ctx context.Context, last gatehouse.Decision) error {
	v := m.set(gatehouse.Approved, "")
	v.ApprovedAt = m.now
	if m.Document != nil {
		view, err := m.view(ctx, m.name, m.version, v)
		if err != nil {
			return err
		}
		view.Decisions = append(view.Decisions, last)
		markdown, html, err := m.Document(ctx, view)
		if err != nil {
			return err
		}
		for text, hash := range map[*[]byte]*string{&markdown: &v.Document, &html: &v.DocumentHTML} {
			var w store.Write
			if w, *hash, err = Blob(*text); err != nil {
				return err
			}
			m.writes = append(m.writes, w)
		}
	}
	m.standing.Versions[m.version] = v
	return nil
}

// Reject sends a version back to its authors as a draft.
func (d *Desk) Reject(ctx context.Context, name, version string, w Word) (*Moved, error) {
	return d.move(ctx, "rejecting", "framework.reject", name, version, w.Comment, func(m *move) error {
		if err := checkReason(w.Comment, true, "rejected"); err != nil {
			return err
		}
		if err := m.waiting(w); err != nil {
			return err
		}
		if _, err := m.decided(ctx, gatehouse.Rejected, w); err != nil {
			return err
		}
		v := m.set(gatehouse.Draft, w.Comment)
		v.Hash, v.Submitted, v.SubmittedBy, v.ApprovedAt, v.Document, v.DocumentHTML, v.Approvals, v.Stated = "", time.Time{}, "", time.Time{}, "", "", 0, 0
		m.standing.Versions[m.version] = v
		return nil
	})
}

// waiting refuses a decision on what does not wait for one, and one by a
// program.
func (m *move) waiting(w Word) error {
	v := m.state()
	switch state := m.standing.State(m.version); {
	case state != gatehouse.Submitted && state != gatehouse.Approved:
		return gatehouse.E(gatehouse.Conflict, "it is %s, and only what is submitted is decided on%s", state, next(state, m.ref()))
	case !strings.HasPrefix(m.actor, "user:"):
		return gatehouse.E(gatehouse.Denied, "%q is no person: a person decides, under their own name", m.actor)
	case w.Hash != "" && w.Hash != v.Hash:
		return gatehouse.E(gatehouse.Lost, "the text that waits is %.12s, not %.12s: read it again", v.Hash, w.Hash)
	case len(w.Evidence) > maxEvidence:
		return gatehouse.E(gatehouse.Invalid, "%d files of evidence; at most %d", len(w.Evidence), maxEvidence)
	}
	return checkReason(w.Comment, false, "")
}

// decided adds the record of a decision. It is written once: a second word of
// the same person on the same text is refused.
func (m *move) decided(ctx context.Context, decision string, w Word) (*gatehouse.Decision, error) {
	v := m.state()
	key := decisionKey(m.name, m.version, v.Hash, m.actor)
	r, err := m.db.Get(ctx, key)
	if err == nil {
		before, err := decisionOf(r)
		if err != nil {
			return nil, err
		}
		return nil, gatehouse.E(gatehouse.Conflict, "%q has %s this text already, on %s, and a decision is not changed", m.actor, before.Decision, before.Time.Format(time.DateOnly))
	}
	if !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	evidence := slices.Compact(slices.Sorted(slices.Values(w.Evidence)))
	if err := m.proven(ctx, evidence); err != nil {
		return nil, err
	}
	d := gatehouse.Decision{
		Subject: Subject(m.name, m.version), Digest: v.Hash, Decision: decision, By: m.actor, Time: m.now, Comment: w.Comment, Evidence: evidence,
	}
	text, err := jsonx.Canonical(&d)
	if err != nil {
		return nil, err
	}
	m.more = append(m.more, audit.Act{
		Action: "decision.create", Object: "Decision " + d.Subject, After: text, Reason: w.Comment,
		Writes: []store.Write{{
			Key: key, Kind: string(gatehouse.KindDecision), Value: text, Expect: store.Absent,
			Index: map[string]string{"subject": d.Subject, "digest": d.Digest, "decision": decision, "by": d.By},
		}},
	})
	return &d, nil
}

// proven refuses evidence that is not there, or whose bytes are not.
func (m *move) proven(ctx context.Context, hashes []string) error {
	for _, h := range hashes {
		for _, key := range []string{string(gatehouse.KindEvidence) + "/" + h, "Blob/" + h} {
			if _, err := m.db.Get(ctx, key); gatehouse.Is(err, gatehouse.NotFound) {
				return gatehouse.E(gatehouse.Invalid, "evidence %q is not there: upload the file first, with \"gatehouse evidence add FILE\"", h)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

func decisionKey(name, version, digest, by string) string {
	return string(gatehouse.KindDecision) + "/" + Subject(name, version) + "/" + digest + "/" + by
}

func decisionOf(r store.Record) (d gatehouse.Decision, err error) {
	if err := json.Unmarshal(r.Value, &d); err != nil {
		return d, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return d, nil
}

// decisions are all on a version, or on one text of it, in the order of time.
func (d *Desk) decisions(ctx context.Context, name, version, digest string) (all []gatehouse.Decision, err error) {
	prefix := string(gatehouse.KindDecision) + "/" + Subject(name, version) + "/"
	if digest != "" {
		prefix += digest + "/"
	}
	q := store.Query{Kind: string(gatehouse.KindDecision), Prefix: prefix, Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			x, err := decisionOf(r)
			if err != nil {
				return nil, err
			}
			all = append(all, x)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	slices.SortStableFunc(all, func(a, b gatehouse.Decision) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// An Uncounted is an approval that does not count, and why.
type Uncounted struct {
	By, Why string
}

// count sorts approvals of the submitted text, and those that are about to be
// written, into the persons that count now and those that do not: by whoever
// wrote or submitted the version, and by whoever may not approve any more.
func (m *move) count(ctx context.Context, more ...gatehouse.Decision) (counted []string, not []Uncounted, err error) {
	v := m.state()
	all, err := m.decisions(ctx, m.name, m.version, v.Hash)
	if err != nil {
		return nil, nil, err
	}
	return m.Desk.count(ctx, m.name, v, append(all, more...))
}

func (d *Desk) count(ctx context.Context, name string, v gatehouse.FrameworkVersionState, all []gatehouse.Decision) (counted []string, not []Uncounted, err error) {
	if err := d.guard.CatchUp(ctx, 0); err != nil {
		return nil, nil, err
	}
	authors, err := d.guard.Behind(ctx, append(slices.Clone(v.Authors), v.SubmittedBy)...)
	if err != nil {
		return nil, nil, err
	}
	on := access.On{Kind: gatehouse.KindFramework, Name: name}
	for _, a := range all {
		switch {
		case a.Decision != gatehouse.Approved || slices.Contains(counted, a.By):
		case authors[a.By]:
			not = append(not, Uncounted{a.By, "wrote or submitted it"})
		case !d.guard.Can(a.By, "framework.approve", on).Allowed:
			not = append(not, Uncounted{a.By, "may not approve frameworks any more"})
		default:
			counted = append(counted, a.By)
		}
	}
	return counted, not, nil
}
