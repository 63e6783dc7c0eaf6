package server

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/audit"
	"gatehouse/control/support"
	"gatehouse/jsonx"
)

// supportRoom carries out the routes of support.
type supportRoom struct {
	*Server
	desk *support.Desk
	now  func() time.Time
}

// BindSupport binds support requests.
func (s *Server) BindSupport(d *support.Desk, now func() time.Time) {
	r := supportRoom{s, d, now}
	bind(s, adminapi.OpenSupport, r.open)
	bind(s, adminapi.ListSupport, r.list)
	bind(s, adminapi.GetSupport, r.get)
	bind(s, adminapi.GetSupportAttachment, r.attachment)
	bind(s, adminapi.ReplySupport, r.reply)
	bind(s, adminapi.AssignSupport, r.assign)
	bind(s, adminapi.CloseSupport, r.move(d.Close))
	bind(s, adminapi.ReopenSupport, r.move(d.Reopen))
}

// helping is the object that the helping side's permission is asked on.
func helping(q *support.Request) string {
	if q.To == "" {
		return "organization"
	}
	return "team/" + q.To
}

func (r supportRoom) open(ctx context.Context, in *adminapi.OpenSupportRequest) (*adminapi.SupportAnswer, error) {
	b := &in.Body
	if b.Team == "" {
		return nil, gatehouse.E(gatehouse.Invalid, "opening a support request: team is missing: who asks")
	}
	if err := r.allow(ctx, "support.open", "team/"+b.Team); err != nil {
		return nil, err
	}
	q, err := r.desk.Open(ctx, support.Ask{From: b.Team, Application: b.Application, API: b.API, Provider: b.Provider, Category: b.Category, Severity: b.Severity,
		Title: b.Title, Text: b.Text, Files: files(b.Attachments)})
	if err != nil {
		return nil, err
	}
	return r.whole(ctx, q)
}

func files(list []adminapi.SupportUpload) (out []support.File) {
	for _, f := range list {
		out = append(out, support.File{Name: f.Name, Content: f.Content})
	}
	return out
}

// sees reports whether the caller is of either side.
func (r supportRoom) sees(ctx context.Context, action string) func(*support.Request) bool {
	known := map[string]bool{}
	may := func(on string) bool {
		if _, ok := known[on]; !ok {
			known[on] = r.allow(ctx, action, on) == nil
		}
		return known[on]
	}
	return func(q *support.Request) bool { return may("team/"+q.From) || may(helping(q)) }
}

// request reads one that the caller is of a side of. Whether there is one that
// is not theirs is not told.
func (r supportRoom) request(ctx context.Context, id string) (*support.Request, error) {
	action := stateOf(ctx).op.Action
	q, err := r.desk.Get(ctx, id)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	if err != nil && r.allow(ctx, action, "organization") == nil {
		return nil, err
	}
	if err == nil && !r.sees(ctx, action)(q) {
		// Who may read it is told what is missing.
		for _, side := range []string{"team/" + q.From, helping(q)} {
			if r.allow(ctx, adminapi.GetSupport.Action, side) == nil {
				return nil, r.allow(ctx, action, side)
			}
		}
	}
	if err != nil || !r.sees(ctx, action)(q) {
		return nil, gatehouse.E(gatehouse.Denied, "%s on support request %q: there is no such, or your teams are on neither side of it", action, id)
	}
	return q, nil
}

func (r supportRoom) list(ctx context.Context, in *adminapi.ListSupportRequest) (*adminapi.SupportList, error) {
	if in.Team != "" {
		if err := r.allow(ctx, "support.list", "team/"+in.Team); err != nil {
			return nil, err
		}
	}
	list, next, err := r.desk.List(ctx, support.Selection{Team: in.Team, From: in.From, To: in.To, API: in.API, Assignee: in.Assignee, State: in.State,
		Open: in.Open, After: in.After, Limit: in.Limit}, r.sees(ctx, "support.list"))
	if err != nil {
		return nil, err
	}
	out := new(adminapi.SupportList)
	out.Body.Next, out.Body.Items = next, make([]adminapi.SupportItem, len(list))
	for i, q := range list {
		out.Body.Items[i] = r.item(q)
	}
	return out, nil
}

func (r supportRoom) get(ctx context.Context, in *adminapi.SupportRef) (*adminapi.SupportAnswer, error) {
	q, err := r.request(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return r.whole(ctx, q)
}

func (r supportRoom) attachment(ctx context.Context, in *adminapi.SupportAttachmentRef) (*adminapi.SupportFile, error) {
	if _, err := r.request(ctx, in.ID); err != nil {
		return nil, err
	}
	a, content, err := r.desk.Attachment(ctx, in.ID, in.Hash)
	if err != nil {
		return nil, err
	}
	out := new(adminapi.SupportFile)
	out.Body.SupportAttachment, out.Body.Content = a, content
	return out, nil
}

func (r supportRoom) reply(ctx context.Context, in *adminapi.ReplySupportRequest) (*adminapi.SupportAnswer, error) {
	q, err := r.request(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	side, err := r.side(ctx, q, b.As)
	if err != nil {
		return nil, err
	}
	q, err = r.desk.Reply(ctx, in.ID, side, support.Reply{Text: b.Text, Files: files(b.Attachments), Wait: b.Wait, Resolve: b.Resolve})
	if err != nil {
		return nil, err
	}
	return r.whole(ctx, q)
}

// side is whose word the caller gives.
func (r supportRoom) side(ctx context.Context, q *support.Request, as string) (support.Side, error) {
	asks := r.allow(ctx, "support.reply", "team/"+q.From)
	helps := r.allow(ctx, "support.reply", helping(q))
	switch {
	case as == "asking":
		return support.Asking, asks
	case as == "helping":
		return support.Helping, helps
	case helps != nil || asks == nil && q.OpenedBy == audit.From(ctx).Actor:
		return support.Asking, asks
	}
	return support.Helping, helps
}

func (r supportRoom) assign(ctx context.Context, in *adminapi.AssignSupportRequest) (*adminapi.SupportAnswer, error) {
	q, err := r.request(ctx, in.ID)
	if err == nil {
		err = r.allow(ctx, "support.assign", helping(q))
	}
	if err == nil {
		q, err = r.desk.Assign(ctx, in.ID, in.Body.Assignee)
	}
	if err != nil {
		return nil, err
	}
	return r.whole(ctx, q)
}

func (r supportRoom) move(do func(context.Context, string, string) (*support.Request, error)) func(context.Context, *adminapi.MoveSupportRequest) (*adminapi.SupportAnswer, error) {
	return func(ctx context.Context, in *adminapi.MoveSupportRequest) (*adminapi.SupportAnswer, error) {
		reason := ""
		if in.Body != nil {
			reason = in.Body.Reason
		}
		q, err := r.request(ctx, in.ID)
		if err == nil {
			q, err = do(ctx, in.ID, reason)
		}
		if err != nil {
			return nil, err
		}
		return r.whole(ctx, q)
	}
}

func (r supportRoom) whole(ctx context.Context, q *support.Request) (*adminapi.SupportAnswer, error) {
	out := &adminapi.SupportAnswer{Body: r.item(q)}
	var err error
	out.Body.Comments, err = r.desk.Comments(ctx, q.ID)
	return out, err
}

func (r supportRoom) item(q *support.Request) adminapi.SupportItem {
	c, now := q.Calendar(), r.now()
	clock := func(k *gatehouse.SupportClock) *adminapi.SupportClockItem {
		read := support.Read(k, c, now)
		if read == nil {
			return nil
		}
		return &adminapi.SupportClockItem{State: read.State, Limit: jsonx.Duration(read.Limit).String(), Used: jsonx.Duration(read.Used.Truncate(time.Second)).String(), Due: read.Due}
	}
	return adminapi.SupportItem{ID: q.ID, From: q.From, Application: q.Application, To: q.To, Provider: q.Provider, API: q.API, Category: q.Category, Severity: q.Severity,
		Title: q.Title, State: q.State, OpenedBy: q.OpenedBy, Opened: q.Opened, Since: q.Since, By: q.By, Assignee: q.Assignee, Reopened: q.Reopened,
		Hours: strings.TrimSpace(q.Hours), Promise: q.Promise, FirstResponse: clock(q.FirstResponse), Resolution: clock(q.Resolution)}
}
