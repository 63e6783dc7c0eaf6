package catalog

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A Ref names an API version, and a revision of it or "" for the newest.
type Ref struct{ Team, Name, Version, Revision string }

// ParseRef reads "payments/orders@v1" or "payments/orders@v1#3f9c2a".
func ParseRef(text string) (Ref, error) {
	var r Ref
	r.Team, r.Name, r.Version, r.Revision = gatehouse.ParseVersionRef(text, "")
	if r.Team == "" || r.Name == "" || r.Version == "" {
		return r, gatehouse.E(gatehouse.Invalid, "%q does not name an API version: team/name@version", text)
	}
	return r, nil
}

// API is "payments/orders".
func (r Ref) API() string { return r.Team + "/" + r.Name }

// String is "payments/orders@v1".
func (r Ref) String() string { return r.API() + "@" + r.Version }

// Revisions lists the revisions of a version, newest first, and the cursor of
// the next page.
func (c *Catalog) Revisions(ctx context.Context, r Ref, limit int, after string) ([]gatehouse.Revision, string, error) {
	page, err := c.db.List(ctx, store.Query{
		Kind: string(gatehouse.KindRevision), Where: map[string]string{"api": r.API(), "version": r.Version}, Sort: "created", Desc: true,
		Limit: limit, After: after,
	})
	if err != nil {
		return nil, "", err
	}
	if len(page.Records) == 0 && after == "" {
		return nil, "", gatehouse.E(gatehouse.NotFound, "there is no API version %q", r)
	}
	all := make([]gatehouse.Revision, len(page.Records))
	for i, rec := range page.Records {
		if err := json.Unmarshal(rec.Value, &all[i]); err != nil {
			return nil, "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	return all, page.Next, nil
}

// Revision reads one revision by its hash, the beginning of it, or, when
// r.Revision is "", the newest.
func (c *Catalog) Revision(ctx context.Context, r Ref) (*gatehouse.Revision, error) {
	want := r.Revision
	if want == "" {
		v, err := c.Get(ctx, gatehouse.KindAPI, r.Team, r.Name, time.Time{})
		if err != nil {
			return nil, err
		}
		status, err := statusOf(v.Status)
		if err != nil {
			return nil, err
		}
		if want = status.Versions[r.Version].Revision; want == "" {
			return nil, gatehouse.E(gatehouse.NotFound, "API %q has no version %q", r.API(), r.Version)
		}
	}
	page, err := c.db.List(ctx, store.Query{
		Kind: string(gatehouse.KindRevision), Prefix: revisionKey(r.Team, r.Name, r.Version, strings.ToLower(want)), Limit: 2,
	})
	if err != nil {
		return nil, err
	}
	switch len(page.Records) {
	case 0:
		return nil, gatehouse.E(gatehouse.NotFound, "API version %q has no revision %q", r, want)
	case 2:
		return nil, gatehouse.E(gatehouse.Conflict, "API version %q has several revisions that begin with %q; give more of it", r, want)
	}
	rev := new(gatehouse.Revision)
	if err := json.Unmarshal(page.Records[0].Value, rev); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", page.Records[0].Key, err)
	}
	return rev, nil
}

// Operations are those of a revision's definition; none without one.
func (c *Catalog) Operations(ctx context.Context, rev *gatehouse.Revision) ([]gatehouse.Operation, error) {
	if rev.Operations == "" {
		return nil, nil
	}
	rec, err := c.db.Get(ctx, "Operations/"+rev.Operations)
	if err != nil {
		return nil, err
	}
	var all []gatehouse.Operation
	if err := json.Unmarshal(rec.Value, &all); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	return all, nil
}

// Files are the contents of a revision's definition and of all it refers to,
// by path as written.
func (c *Catalog) Files(ctx context.Context, rev *gatehouse.Revision) (map[string][]byte, error) {
	r, out := newReader(c.db), make(map[string][]byte, len(rev.Form.Files))
	for name, sum := range rev.Form.Files {
		data, err := blob(ctx, r, sum)
		if err != nil {
			return nil, err
		}
		out[name] = data
	}
	return out, nil
}
