package server

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// exportBytes bounds one answer of an export; it ends with the event that
// reaches it.
const exportBytes = 16 << 20

// BindAudit binds the routes of the trail.
func (s *Server) BindAudit() {
	bind(s, adminapi.QueryAudit, s.queryAudit)
	bind(s, adminapi.TailAudit, s.tailAudit)
	bind(s, adminapi.VerifyAudit, s.verifyAudit)
	bind(s, adminapi.ExportAudit, s.exportAudit)
}

func (s *Server) queryAudit(ctx context.Context, in *adminapi.QueryAuditRequest) (*adminapi.AuditEvents, error) {
	q := selected(&in.EventSelection, in.After, in.Limit)
	q.Desc = in.Newest
	if err := s.trailOf(ctx, adminapi.QueryAudit.Action, in.Team); err != nil {
		return nil, err
	}
	if err := between(&q, &in.EventSpan); err != nil {
		return nil, err
	}
	page, err := s.Trail.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &adminapi.AuditEvents{}
	out.Body.Items, out.Body.Next = page.Events, page.Next
	return out, nil
}

// trailOf asks for permission on the team whose events are wanted, or on the
// organization where they are everybody's.
func (s *Server) trailOf(ctx context.Context, action, team string) error {
	on := access.Organization
	if team != "" {
		on = "team/" + team
	}
	return s.askOn(ctx, action, on)
}

func selected(in *adminapi.EventSelection, after int64, limit int) store.EventQuery {
	return store.EventQuery{Actor: in.Actor, Action: in.Action, Object: in.Object, Team: in.Team, Outcome: in.Outcome, Text: in.Text, After: after, Limit: limit}
}

func between(q *store.EventQuery, in *adminapi.EventSpan) (err error) {
	if q.From, err = moment("from", in.From); err == nil {
		q.To, err = moment("to", in.To)
	}
	return err
}

func (s *Server) tailAudit(ctx context.Context, in *adminapi.TailAuditRequest) (*adminapi.AuditEvents, error) {
	q := selected(&in.EventSelection, in.After, in.Limit)
	if err := s.trailOf(ctx, adminapi.TailAudit.Action, in.Team); err != nil {
		return nil, err
	}
	if in.Now {
		head, err := s.DB.Head(ctx)
		if err != nil {
			return nil, err
		}
		q.After = head.Event
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
	defer cancel()
	defer context.AfterFunc(s.Rest, cancel)()
	page, err := s.Trail.Tail(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &adminapi.AuditEvents{}
	out.Body.Items, out.Body.Next = page.Events, page.Next
	return out, nil
}

func (s *Server) verifyAudit(ctx context.Context, in *adminapi.VerifyAuditRequest) (*adminapi.AuditVerification, error) {
	v, err := s.Trail.Verify(ctx, in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := &adminapi.AuditVerification{}
	b := &out.Body
	b.OK, b.Events, b.First, b.Last, b.Hash = v.OK(), v.Events, v.First, v.Last, v.Hash
	if v.Broken != nil {
		b.Broken, b.Detail = v.Broken.Number, v.Broken.Detail
	}
	return out, nil
}

func (s *Server) exportAudit(ctx context.Context, in *adminapi.ExportAuditRequest) (*adminapi.AuditExport, error) {
	q := selected(&in.EventSelection, in.After, in.Limit+1)
	if err := s.trailOf(ctx, adminapi.ExportAudit.Action, in.Team); err != nil {
		return nil, err
	}
	if err := between(&q, &in.EventSpan); err != nil {
		return nil, err
	}
	out := &adminapi.AuditExport{ContentType: "application/jsonl"}
	var b bytes.Buffer
	var last int64
	n := 0
	for e, err := range s.DB.Events(ctx, q) {
		if err != nil {
			return nil, err
		}
		if n == in.Limit || b.Len() >= exportBytes {
			out.Next = strconv.FormatInt(last, 10)
			break
		}
		line, err := jsonx.Canonical(e)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		b.WriteByte('\n')
		n, last = n+1, e.Number
	}
	out.Body = b.Bytes()
	return out, nil
}
