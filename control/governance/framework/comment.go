package framework

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// KindComment is the kind of the records of comments on framework versions.
const KindComment gatehouse.Kind = "FrameworkComment"

// Bounds of comments.
const (
	maxComment  = 10_000 // bytes of one
	maxComments = 1_000  // of one version
)

// A Comment is what somebody said on a version, kept under
// "FrameworkComment/<name>@<version>/<id>" and never changed.
type Comment struct {
	ID        string    `json:"id"` // UUIDv7: they sort by time
	Framework string    `json:"framework"`
	Version   string    `json:"version"`
	Hash      string    `json:"hash,omitempty"` // of the text that was submitted then
	By        string    `json:"by"`
	Time      time.Time `json:"time"`
	Text      string    `json:"text"`
}

// Comment puts a comment on a version.
func (d *Desk) Comment(ctx context.Context, name, version, text string) (*Comment, error) {
	c, err := d.comment(ctx, name, version, text)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "commenting on framework %q: %w", name+"@"+version, err)
	}
	return c, nil
}

func (d *Desk) comment(ctx context.Context, name, version, text string) (*Comment, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, gatehouse.E(gatehouse.Invalid, "the comment is empty")
	case len(text) > maxComment:
		return nil, gatehouse.E(gatehouse.Invalid, "the comment is %d bytes long; at most %d", len(text), maxComment)
	}
	on, err := d.known(ctx, name, version)
	if err != nil {
		return nil, err
	}
	page, err := d.db.List(ctx, store.Query{Kind: string(KindComment), Prefix: commentsOf(name, version), Limit: maxComments})
	if err != nil {
		return nil, err
	}
	if len(page.Records) >= maxComments {
		return nil, gatehouse.E(gatehouse.Conflict, "%d comments are there; no more are taken", maxComments)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	c := &Comment{ID: id.String(), Framework: name, Version: version, Hash: on.Hash, By: actor(ctx), Time: d.now(), Text: text}
	value, err := jsonx.Canonical(c)
	if err != nil {
		return nil, err
	}
	_, err = d.trail.Commit(ctx, audit.Act{
		Action: "framework.comment", Object: Subject(name, version), After: value,
		Writes: []store.Write{{Key: commentsOf(name, version) + c.ID, Kind: string(KindComment), Value: value, Expect: store.Absent}},
	})
	return c, err
}

func commentsOf(name, version string) string {
	return string(KindComment) + "/" + name + "@" + version + "/"
}

// known is where a version stands; one of which there is neither record nor
// document is not found.
func (d *Desk) known(ctx context.Context, name, version string) (gatehouse.FrameworkVersionState, error) {
	s, err := d.Standing(ctx, name)
	if err != nil {
		return gatehouse.FrameworkVersionState{}, err
	}
	if v, ok := s.Versions[version]; ok {
		return v, nil
	}
	doc, err := d.document(ctx, name)
	if err == nil && doc.Version(version) == nil {
		err = gatehouse.E(gatehouse.NotFound, "framework %q has no version %q", name, version)
	}
	return gatehouse.FrameworkVersionState{State: gatehouse.Draft}, err
}

// Comments are those on a version, oldest first, page by page.
func (d *Desk) Comments(ctx context.Context, name, version, after string, limit int) (all []Comment, next string, err error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(KindComment), Prefix: commentsOf(name, version), After: after, Limit: limit})
	if err != nil {
		return nil, "", err
	}
	for _, r := range page.Records {
		var c Comment
		if err := json.Unmarshal(r.Value, &c); err != nil {
			return nil, "", gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
		}
		all = append(all, c)
	}
	return all, page.Next, nil
}
