package support

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A Selection is which requests are asked for; zero fields ask nothing.
type Selection struct {
	Team string // on either side
	From, To, API, Assignee,
	State string
	Open  bool // not over
	After string
	Limit int
}

// maxPages bounds how many pages are looked through for what the caller may see.
const maxPages = 50

// List answers a page, newest first, of what may says the caller sees.
func (d *Desk) List(ctx context.Context, s Selection, may func(*Request) bool) (list []*Request, next string, err error) {
	where := map[string]string{}
	for name, value := range map[string]string{"from": s.From, "to": s.To, "api": s.API, "assignee": s.Assignee, "state": s.State} {
		if value != "" {
			where[name] = value
		}
	}
	if s.Team != "" {
		where["team:"+s.Team] = "1"
	}
	if s.Open {
		where["open"] = "1"
	}
	q := store.Query{Kind: string(gatehouse.KindSupportRequest), Where: where, Sort: "opened", Desc: true, After: s.After, Limit: s.Limit}
	for range maxPages {
		// No more than are wanted, so that the cursor is behind the last one given.
		q.Limit = s.Limit - len(list)
		page, err := d.db.List(ctx, q)
		if err != nil {
			return nil, "", err
		}
		for i := range page.Records {
			r, err := requestOf(&page.Records[i])
			if err != nil {
				return nil, "", err
			}
			if may(r) {
				list = append(list, r)
			}
		}
		if q.After = page.Next; page.Next == "" || len(list) >= s.Limit {
			return list, page.Next, nil
		}
	}
	return list, q.After, nil
}

// Comments are what was said on a request, oldest first.
func (d *Desk) Comments(ctx context.Context, id string) ([]gatehouse.SupportComment, error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindSupportComment), Prefix: string(gatehouse.KindSupportComment) + "/" + id + "/", Limit: MaxComments})
	if err != nil {
		return nil, err
	}
	list := make([]gatehouse.SupportComment, len(page.Records))
	for i, rec := range page.Records {
		if err := json.Unmarshal(rec.Value, &list[i]); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	return list, nil
}

// Attachment is a file of a request: nobody reads by hash what is not attached
// there.
func (d *Desk) Attachment(ctx context.Context, id, hash string) (gatehouse.SupportAttachment, []byte, error) {
	comments, err := d.Comments(ctx, id)
	if err != nil {
		return gatehouse.SupportAttachment{}, nil, err
	}
	for _, c := range comments {
		for _, a := range c.Attachments {
			if a.Hash != hash {
				continue
			}
			rec, err := d.db.Get(ctx, "Blob/"+hash)
			if err != nil {
				return a, nil, err
			}
			var text string
			if err = json.Unmarshal(rec.Value, &text); err != nil {
				return a, nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			content, err := base64.StdEncoding.DecodeString(text)
			return a, content, err
		}
	}
	return gatehouse.SupportAttachment{}, nil, gatehouse.E(gatehouse.NotFound, "support request %q has no attachment %q", id, hash)
}

// An OpenCount is a team's requests that are not over.
type OpenCount struct {
	Asked   int // by the team
	Helping int // of the team
	Missed  int // of these, with a promise broken
}

// Count is what a team's page shows of its open requests; it looks at a
// thousand of each side at most.
func (d *Desk) Count(ctx context.Context, team string) (n OpenCount, err error) {
	now := d.now()
	for _, side := range []string{"from", "to"} {
		page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindSupportRequest), Where: map[string]string{side: team, "open": "1"}, Limit: 1000})
		if err != nil {
			return n, fmt.Errorf("counting support requests of team %q: %w", team, err)
		}
		if side == "from" {
			n.Asked = len(page.Records)
			continue
		}
		n.Helping = len(page.Records)
		for i := range page.Records {
			r, err := requestOf(&page.Records[i])
			if err != nil {
				return n, err
			}
			c := r.Calendar()
			for _, k := range []*gatehouse.SupportClock{r.FirstResponse, r.Resolution} {
				if read := Read(k, c, now); read != nil && read.State == "missed" {
					n.Missed++
					break
				}
			}
		}
	}
	return n, nil
}

// Each yields the requests opened within [from, to), the newest first.
func (d *Desk) Each(ctx context.Context, from, to time.Time, do func(*Request)) error {
	q := store.Query{Kind: string(gatehouse.KindSupportRequest), Sort: "opened", Desc: true, Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Records {
			r, err := requestOf(&page.Records[i])
			switch {
			case err != nil:
				return err
			case r.Opened.Before(from):
				return nil
			case r.Opened.Before(to):
				do(r)
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}
