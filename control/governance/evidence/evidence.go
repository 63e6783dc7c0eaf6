// Package evidence keeps files that prove something: a threat model, a test
// report, minutes of a meeting.
//
// A file is kept once, by the SHA-256 of its bytes, and never changed; what it
// proves is said where it is referred to, by an approval or an answer. Package
// server says who may see which.
package evidence

import (
	"context"
	"encoding/json"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/framework"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// MaxSize bounds one file, in bytes.
const MaxSize = 10 << 20

// A Shelf keeps evidence. It is safe for use by several goroutines and processes.
type Shelf struct {
	trail *audit.Trail
	db    store.DB
}

// New makes the shelf of what trail writes.
func New(trail *audit.Trail) *Shelf { return &Shelf{trail, trail.DB} }

// A File is what somebody brings.
type File struct {
	Name      string
	MediaType string
	Team      string // whose evidence it is; "" is the organization's
	Data      []byte
}

func (f *File) check() error {
	bad := func(format string, args ...any) error { return gatehouse.E(gatehouse.Invalid, format, args...) }
	switch {
	case len(f.Data) == 0:
		return bad("it is empty")
	case len(f.Data) > MaxSize:
		return gatehouse.E(gatehouse.TooLarge, "it is %d bytes long; at most %d", len(f.Data), MaxSize)
	case f.Name == "" || len(f.Name) > 200 || !utf8.ValidString(f.Name) || strings.ContainsFunc(f.Name, unicode.IsControl):
		return bad("its name is missing, longer than 200 bytes or no text")
	case f.Name != path.Base(f.Name) || strings.Contains(f.Name, `\`) || f.Name == "." || f.Name == "..":
		return bad("its name has a folder in it: give the bare name")
	case len(f.MediaType) > 100 || strings.ContainsFunc(f.MediaType, func(r rune) bool { return r < ' ' || r > '~' }):
		return bad("%q is not a media type", f.MediaType)
	}
	return nil
}

// Add keeps a file. One that is there already stays as it is, with the name it
// was first given; of one that another team brought nothing is told but what
// whoever has the bytes knows.
func (s *Shelf) Add(ctx context.Context, f File) (*gatehouse.Evidence, error) {
	e, err := s.add(ctx, f)
	if gatehouse.Is(err, gatehouse.Conflict) { // somebody else brought it meanwhile
		e, err = s.add(ctx, f)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "keeping evidence %q: %w", f.Name, err)
	}
	return e, nil
}

func (s *Shelf) add(ctx context.Context, f File) (*gatehouse.Evidence, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	blob, hash, err := framework.Blob(f.Data)
	if err != nil {
		return nil, err
	}
	now, err := s.db.GetMany(ctx, []string{key(hash), blob.Key})
	if err != nil {
		return nil, err
	}
	if r, ok := now[key(hash)]; ok {
		if _, whole := now[blob.Key]; whole {
			was, err := evidenceOf(r)
			if err == nil && was.Team != f.Team {
				return &gatehouse.Evidence{
					Hash: hash, Name: f.Name, MediaType: f.MediaType, Team: f.Team, Size: was.Size, By: audit.From(ctx).Actor, Time: s.now(),
				}, nil
			}
			return was, err
		}
	}
	e := &gatehouse.Evidence{
		Hash: hash, Name: f.Name, MediaType: f.MediaType, Team: f.Team, Size: int64(len(f.Data)), By: audit.From(ctx).Actor, Time: s.now(),
	}
	text, err := jsonx.Canonical(e)
	if err != nil {
		return nil, err
	}
	w := store.Write{
		Key: key(hash), Kind: string(gatehouse.KindEvidence), Value: text, Expect: now[key(hash)].Rev,
		Index: map[string]string{"team": e.Team, "by": e.By, "time": store.Moment(e.Time)},
	}
	_, err = s.trail.Commit(ctx, audit.Act{
		Action: "evidence.create", Object: "Evidence " + hash, Team: f.Team, After: text, Writes: []store.Write{blob, w},
	})
	return e, err
}

func (s *Shelf) now() time.Time {
	if s.trail.Now != nil {
		return s.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

func key(hash string) string { return string(gatehouse.KindEvidence) + "/" + hash }

func evidenceOf(r store.Record) (*gatehouse.Evidence, error) {
	e := new(gatehouse.Evidence)
	if err := json.Unmarshal(r.Value, e); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return e, nil
}

// Get tells what a file is.
func (s *Shelf) Get(ctx context.Context, hash string) (*gatehouse.Evidence, error) {
	r, err := s.db.Get(ctx, key(hash))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no evidence %q", hash)
	}
	if err != nil {
		return nil, err
	}
	return evidenceOf(r)
}

// Content is the bytes of a file. They are what their hash says, or an error.
func (s *Shelf) Content(ctx context.Context, hash string) ([]byte, error) {
	r, err := s.db.Get(ctx, "Blob/"+hash)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "evidence %q is not there any more", hash)
	}
	if err != nil {
		return nil, err
	}
	var data []byte
	if err := json.Unmarshal(r.Value, &data); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	if _, is, _ := framework.Blob(data); is != hash {
		return nil, gatehouse.E(gatehouse.Internal, "evidence %q was changed: its bytes are those of %q", hash, is)
	}
	return data, nil
}

// A Query asks for files, newest first, page by page.
type Query struct {
	Team         string                 // whose; "" for every team's and the organization's
	Organization bool                   // the organization's alone
	See          func(team string) bool // which are given, "" for the organization's
	After        string
	Limit        int // of those that are given
}

// List are the files that are asked for and let through.
func (s *Shelf) List(ctx context.Context, asked Query) (all []gatehouse.Evidence, next string, err error) {
	q := store.Query{Kind: string(gatehouse.KindEvidence), Sort: "time", Desc: true, After: asked.After, Limit: asked.Limit}
	if asked.Team != "" || asked.Organization {
		q.Where = map[string]string{"team": asked.Team} // "" is that there is none
	}
	for {
		page, err := s.db.List(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for i, r := range page.Records {
			e, err := evidenceOf(r)
			if err != nil {
				return nil, "", err
			}
			if !asked.See(e.Team) {
				continue
			}
			if all = append(all, *e); len(all) == asked.Limit && (i+1 < len(page.Records) || page.Next != "") {
				return all, q.NextAfter(page.Sorts[i], r.Key), nil
			}
		}
		if q.After = page.Next; q.After == "" {
			return all, "", nil
		}
	}
}
