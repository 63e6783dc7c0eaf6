package support

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// An Ask is what a new request says.
type Ask struct {
	From        string // the asking team
	Application string // "team/name", of the asking team
	API         string // "team/name" or "team/name@version"; or Provider
	Provider    bool
	Category    string
	Severity    string // "" is medium
	Title, Text string
	Files       []File
}

// A File is something attached.
type File struct {
	Name    string
	Content []byte
}

// Open makes a request.
func (d *Desk) Open(ctx context.Context, ask Ask) (*Request, error) {
	for try := 0; ; try++ {
		r, acts, err := d.open(ctx, ask)
		if err == nil {
			if _, err = d.trail.Commit(ctx, acts...); gatehouse.Is(err, gatehouse.Conflict) && try < retries {
				continue // somebody else took the number
			}
		}
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "opening a support request: %w", err)
		}
		return r, nil
	}
}

func (d *Desk) open(ctx context.Context, ask Ask) (*Request, []audit.Act, error) {
	if ask.Severity == "" {
		ask.Severity = "medium"
	}
	if err := ask.check(); err != nil {
		return nil, nil, err
	}
	if _, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", ask.From, time.Time{}); err != nil {
		return nil, nil, err
	}
	now, by := d.now(), audit.From(ctx).Actor
	r := &Request{SupportRequest: gatehouse.SupportRequest{From: ask.From, Application: ask.Application, API: ask.API, Provider: ask.Provider, Category: ask.Category,
		Severity: ask.Severity, Title: ask.Title, State: gatehouse.SupportOpen, OpenedBy: by, Opened: now, Since: now, By: by}}
	api, err := d.addressed(ctx, r)
	if err == nil && ask.Application != "" {
		team, name := gatehouse.ParseRef(ask.Application, "")
		_, err = d.catalog.Get(ctx, gatehouse.KindApplication, team, name, time.Time{})
	}
	if err == nil {
		err = d.promised(ctx, r, api)
	}
	if err != nil {
		return nil, nil, err
	}
	r.tick(now)
	id, counter, err := d.next(ctx)
	if err != nil {
		return nil, nil, err
	}
	r.ID = id
	writes, err := r.say(now, by, ask.From, ask.Text, r.State, ask.Files)
	if err != nil {
		return nil, nil, err
	}
	a, err := r.act("support.open", nil, ask.Text, "")
	a.Writes = append(append(a.Writes, counter), writes...)
	return r, []audit.Act{a}, err
}

// check looks at what can be told without the records.
func (a *Ask) check() error {
	c := gatehouse.NewChecker("support request")
	if a.From == "" {
		c.Errorf("team is missing: who asks")
	}
	switch {
	case a.API == "" && !a.Provider:
		c.Errorf("nobody is asked: name the API that it is about, \"team/name\", or ask the provider")
	case a.API != "" && a.Provider:
		c.Errorf("it is about API %q and asks the provider: one of them", a.API)
	}
	if a.Application != "" {
		if team, _ := gatehouse.ParseRef(a.Application, ""); team != a.From {
			c.At("application").Errorf("%q is not of team %q, which asks", a.Application, a.From)
		}
	}
	known(c.At("category"), a.Category, gatehouse.SupportCategories)
	known(c.At("severity"), a.Severity, gatehouse.SupportSeverities)
	switch {
	case strings.TrimSpace(a.Title) == "":
		c.At("title").Errorf("is missing: what it is about, in a line")
	case len(a.Title) > MaxTitle || !plain(a.Title):
		c.At("title").Errorf("has %d bytes; a title is one line of at most %d", len(a.Title), MaxTitle)
	}
	return gatehouse.InvalidFaults(c.Faults())
}

func known(c *gatehouse.Checker, value string, all []string) {
	if slices.Contains(all, value) {
		return
	}
	if near := gatehouse.Nearest(value, all); near != "" {
		c.Errorf("%q is none; did you mean %q?", value, near)
		return
	}
	c.OneOf(value, false, all...)
}

// plain reports whether text is one line without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// addressed finds who is asked; the API is nil when it is the provider.
func (d *Desk) addressed(ctx context.Context, r *Request) (*gatehouse.API, error) {
	if r.Provider {
		page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindTeam), Where: map[string]string{"provider": "1"}, Limit: 1})
		if err == nil && len(page.Records) > 0 {
			r.To = strings.TrimPrefix(page.Records[0].Key, "Team/")
		}
		return nil, err
	}
	ref, version, versioned := strings.Cut(r.API, "@")
	team, name := gatehouse.ParseRef(ref, r.From)
	v, err := d.catalog.Get(ctx, gatehouse.KindAPI, team, name, time.Time{})
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, d.meant(ctx, team, name)
	}
	if err != nil {
		return nil, err
	}
	api := v.Object.Spec.(*gatehouse.API)
	if versioned && !slices.ContainsFunc(api.Versions, func(v gatehouse.Version) bool { return v.Name == version }) {
		return nil, gatehouse.E(gatehouse.NotFound, "API %q has no version %q", team+"/"+name, version)
	}
	r.To, r.API = team, team+"/"+name
	if versioned {
		r.API += "@" + version
	}
	return api, nil
}

// meant is the error for an API that is not there.
func (d *Desk) meant(ctx context.Context, team, name string) error {
	page, err := d.catalog.List(ctx, catalog.Filter{Kind: gatehouse.KindAPI, Team: team, Limit: 500})
	if err != nil {
		return err
	}
	var names []string
	for _, v := range page.Items {
		names = append(names, v.Object.Metadata.Name)
	}
	if near := gatehouse.Nearest(name, names); near != "" {
		return gatehouse.E(gatehouse.NotFound, "there is no API %q; did you mean %q?", team+"/"+name, team+"/"+near)
	}
	return gatehouse.E(gatehouse.NotFound, "there is no API %q", team+"/"+name)
}

// say adds a comment and counts it; the writes go into the same batch as the
// request's.
func (r *Request) say(now time.Time, by, team, text, state string, files []File) ([]store.Write, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, gatehouse.E(gatehouse.Invalid, "text is missing")
	case len(text) > MaxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, gatehouse.E(gatehouse.Invalid, "text is UTF-8 of at most %d bytes; attach what is longer", MaxText)
	case r.Comments >= MaxComments:
		return nil, gatehouse.E(gatehouse.Conflict, "it has %d comments, and takes no more; open another request", r.Comments)
	case len(files) > MaxTogether:
		return nil, gatehouse.E(gatehouse.Invalid, "%d files are attached; at most %d go with one comment", len(files), MaxTogether)
	case r.Attachments+len(files) > MaxAttachments:
		return nil, gatehouse.E(gatehouse.Invalid, "it would have %d files; at most %d are kept of one request", r.Attachments+len(files), MaxAttachments)
	}
	r.Comments++
	c := gatehouse.SupportComment{Request: r.ID, Number: r.Comments, By: by, Team: team, Time: now, Text: text, State: state}
	var writes []store.Write
	for _, f := range files {
		a, w, err := attach(f)
		if err != nil {
			return nil, err
		}
		c.Attachments = append(c.Attachments, a)
		if !slices.ContainsFunc(writes, func(o store.Write) bool { return o.Key == w.Key }) {
			writes = append(writes, w)
		}
	}
	r.Attachments += len(files)
	value, err := jsonx.Marshal(&c)
	return append(writes, store.Write{
		Key: commentKey(r.ID, c.Number), Kind: string(gatehouse.KindSupportComment), Value: value, Expect: store.Absent,
	}), err
}

func commentKey(id string, number int) string {
	return fmt.Sprintf("%s/%s/%05d", gatehouse.KindSupportComment, id, number)
}

func attach(f File) (a gatehouse.SupportAttachment, w store.Write, err error) {
	switch {
	case f.Name == "" || len(f.Name) > maxAttachedName || !plain(f.Name) || strings.ContainsAny(f.Name, `/\`):
		return a, w, gatehouse.E(gatehouse.Invalid, "attaching %q: a file's name is a line of 1 to %d bytes without slashes", f.Name, maxAttachedName)
	case len(f.Content) == 0:
		return a, w, gatehouse.E(gatehouse.Invalid, "attaching %q: it is empty", f.Name)
	case len(f.Content) > MaxAttachment:
		return a, w, gatehouse.E(gatehouse.Invalid, "attaching %q: %d bytes are more than %d", f.Name, len(f.Content), MaxAttachment)
	}
	sum := sha256.Sum256(f.Content)
	a = gatehouse.SupportAttachment{Name: f.Name, MediaType: http.DetectContentType(f.Content), Size: len(f.Content), Hash: hex.EncodeToString(sum[:])}
	value, err := jsonx.Marshal(base64.StdEncoding.EncodeToString(f.Content))
	return a, store.Write{Key: "Blob/" + a.Hash, Kind: string(catalog.KindBlob), Value: value, Expect: store.Any}, err
}
