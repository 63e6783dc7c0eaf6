package framework

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// A View is one version as people look at it.
type View struct {
	Framework, Version string
	gatehouse.FrameworkVersionState
	Title, Summary string
	// Text is the version as it was submitted, or as its draft reads now; nil
	// when the document has it no longer.
	Text      *gatehouse.FrameworkText
	Decisions []gatehouse.Decision // on any text of it, oldest first
	// Counted are the persons whose approval counts now, and Uncounted those
	// whose does not; only while it waits.
	Counted   []string
	Uncounted []Uncounted
}

// Show reads one version with everything that was decided on it.
func (d *Desk) Show(ctx context.Context, name, version string) (*View, error) {
	on, err := d.known(ctx, name, version)
	if err != nil {
		return nil, err
	}
	v, err := d.view(ctx, name, version, on)
	if err == nil && (v.State == gatehouse.Submitted || v.State == gatehouse.Approved) {
		now := slices.DeleteFunc(slices.Clone(v.Decisions), func(a gatehouse.Decision) bool { return a.Digest != v.Hash })
		v.Counted, v.Uncounted, err = d.count(ctx, name, on, now)
	}
	return v, err
}

// Proposed is the text that Enforce would put in force: the one that was
// submitted, or that the draft reads now.
func (d *Desk) Proposed(ctx context.Context, name, version string) (*gatehouse.FrameworkText, error) {
	doing := func(err error) (*gatehouse.FrameworkText, error) {
		return nil, gatehouse.E(gatehouse.KindOf(err), "looking ahead to framework %q: %w", name+"@"+version, err)
	}
	on, err := d.known(ctx, name, version)
	if err != nil {
		return doing(err)
	}
	switch on.State {
	case gatehouse.Draft:
	case gatehouse.Submitted, gatehouse.Approved:
		return d.Text(ctx, on.Hash)
	case gatehouse.InForce:
		return doing(gatehouse.E(gatehouse.Conflict, "it is in force already: gatehouse gate list --framework %s tells who falls short", name))
	default:
		return doing(gatehouse.E(gatehouse.Conflict, "it is %s, and does not come in force again%s", on.State, next(on.State, name+"@"+version)))
	}
	doc, err := d.document(ctx, name)
	if err != nil {
		return doing(err)
	}
	if doc.Version(version) == nil {
		return doing(gatehouse.E(gatehouse.NotFound, "its document has no version %q any more", version))
	}
	t, _, _, err := d.written(ctx, name, version, doc)
	if err != nil {
		return doing(err)
	}
	return t, nil
}

// view is a version that stands somewhere, with its text and decisions.
func (d *Desk) view(ctx context.Context, name, version string, on gatehouse.FrameworkVersionState) (*View, error) {
	v := &View{Framework: name, Version: version, FrameworkVersionState: on}
	doc, err := d.document(ctx, name)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	if doc != nil {
		v.Title, v.Summary, v.Text = doc.Title, doc.Summary, doc.TextOf(name, version, doc.files)
	}
	if v.Hash != "" {
		if v.Text, err = d.Text(ctx, v.Hash); err != nil {
			return nil, err
		}
	}
	v.Decisions, err = d.decisions(ctx, name, version, "")
	return v, err
}

// A Line is one version in a list.
type Line struct {
	Framework, Version, Title string
	gatehouse.FrameworkVersionState
	ValidFrom, ValidUntil string
	Controls              int
}

// List tells of every version of every framework, or of one, where it stands.
func (d *Desk) List(ctx context.Context, only string) (lines []Line, err error) {
	q := store.Query{Kind: string(gatehouse.KindFramework), Limit: 200}
	if only != "" {
		q.Prefix = gatehouse.Key(gatehouse.KindFramework, "", only)
	}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			name := strings.TrimPrefix(r.Key, string(gatehouse.KindFramework)+"/")
			if only != "" && name != only {
				continue
			}
			more, err := d.lines(ctx, name, r)
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
		}
		if page.Next == "" {
			return lines, nil
		}
		q.After = page.Next
	}
}

func (d *Desk) lines(ctx context.Context, name string, r store.Record) (lines []Line, err error) {
	doc, err := documentOf(r)
	if err != nil {
		return nil, err
	}
	s, err := d.Standing(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, v := range doc.Versions {
		on := s.Versions[v.Name]
		on.State = cmp.Or(on.State, gatehouse.Draft)
		lines = append(lines, Line{
			Framework: name, Version: v.Name, Title: doc.Title, FrameworkVersionState: on, ValidFrom: v.ValidFrom, ValidUntil: v.ValidUntil, Controls: len(v.Controls),
		})
	}
	for _, version := range slices.Sorted(maps.Keys(s.Versions)) { // ended ones that the document has no longer
		if on := s.Versions[version]; on.State != gatehouse.Draft && doc.Version(version) == nil {
			lines = append(lines, Line{Framework: name, Version: version, Title: doc.Title, FrameworkVersionState: on})
		}
	}
	return lines, nil
}

// blob reads bytes that are kept by their hash.
func (d *Desk) blob(ctx context.Context, hash string) ([]byte, error) {
	r, err := d.db.Get(ctx, "Blob/"+hash)
	if err != nil {
		return nil, err
	}
	var data []byte
	if err := json.Unmarshal(r.Value, &data); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return data, nil
}

// Approved is the service description of a version as it was approved, word for
// word, in Markdown or HTML.
func (d *Desk) Approved(ctx context.Context, name, version string, html bool) ([]byte, error) {
	on, err := d.known(ctx, name, version)
	if err != nil {
		return nil, err
	}
	hash := on.Document
	if html {
		hash = on.DocumentHTML
	}
	if hash == "" {
		return nil, gatehouse.E(gatehouse.NotFound, "no document of framework %q was approved", name+"@"+version)
	}
	return d.blob(ctx, hash)
}
