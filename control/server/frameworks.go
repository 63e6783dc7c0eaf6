package server

import (
	"context"
	"fmt"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/document"
	"gatehouse/control/governance/framework"
)

// BindFrameworks binds where framework versions stand, and what moves them.
func (s *Server) BindFrameworks(d *framework.Desk) {
	bind(s, adminapi.ListFrameworkVersions, func(ctx context.Context, in *adminapi.ListFrameworkVersionsRequest) (*adminapi.FrameworkVersions, error) {
		return listFrameworkVersions(ctx, d, in.Name, in.Paged)
	})
	bind(s, adminapi.GetFrameworkVersion, func(ctx context.Context, in *adminapi.FrameworkRef) (*adminapi.FrameworkVersionAnswer, error) {
		return frameworkVersion(d.Show(ctx, in.Name, in.Version))
	})
	bind(s, adminapi.SubmitFramework, moveFramework(d.Submit))
	bind(s, adminapi.EnforceFramework, moveFramework(d.Enforce))
	bind(s, adminapi.WithdrawFramework, moveFramework(d.Withdraw))
	bind(s, adminapi.ApproveFramework, decideFramework(d.Approve))
	bind(s, adminapi.RejectFramework, decideFramework(d.Reject))
	bind(s, adminapi.CommentFramework, func(ctx context.Context, in *adminapi.CommentFrameworkRequest) (*adminapi.FrameworkCommentAnswer, error) {
		c, err := d.Comment(ctx, in.Name, in.Version, in.Body.Text)
		if err != nil {
			return nil, err
		}
		return &adminapi.FrameworkCommentAnswer{Body: comment(*c)}, nil
	})
	bind(s, adminapi.GetFrameworkDocument, func(ctx context.Context, in *adminapi.GetFrameworkDocumentRequest) (*adminapi.FrameworkDocument, error) {
		return s.frameworkDocument(ctx, d, in)
	})
	bind(s, adminapi.ListFrameworkComments, func(ctx context.Context, in *adminapi.ListFrameworkCommentsRequest) (*adminapi.FrameworkComments, error) {
		all, next, err := d.Comments(ctx, in.Name, in.Version, in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		out := &adminapi.FrameworkComments{}
		out.Body.Items, out.Body.Next = []adminapi.FrameworkComment{}, next
		for _, c := range all {
			out.Body.Items = append(out.Body.Items, comment(c))
		}
		return out, nil
	})
}

func comment(c framework.Comment) adminapi.FrameworkComment {
	return adminapi.FrameworkComment{ID: c.ID, By: c.By, Time: c.Time, Hash: c.Hash, Text: c.Text}
}

func listFrameworkVersions(ctx context.Context, d *framework.Desk, name string, p adminapi.Paged) (*adminapi.FrameworkVersions, error) {
	if name == "-" {
		name = ""
	}
	lines, err := d.List(ctx, name)
	if err != nil {
		return nil, err
	}
	if name != "" && len(lines) == 0 {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no framework %q", name)
	}
	at := map[string]string{} // a framework's versions stand in the order of its document, which only grows
	for i, l := range lines {
		at[l.Framework+"@"+l.Version] = fmt.Sprintf("%s\n%09d", l.Framework, i)
	}
	lines, next, err := paged(lines, p, func(l *framework.Line) string { return at[l.Framework+"@"+l.Version] })
	if err != nil {
		return nil, err
	}
	out := &adminapi.FrameworkVersions{}
	out.Body.Items, out.Body.Next = []adminapi.FrameworkVersionItem{}, next
	for _, l := range lines {
		out.Body.Items = append(out.Body.Items, adminapi.FrameworkVersionItem{
			Framework: l.Framework, Version: l.Version, Title: l.Title, State: l.State, Since: l.Since, By: l.By, Reason: l.Reason,
			ValidFrom: l.ValidFrom, ValidUntil: l.ValidUntil, Ended: l.Ended, Hash: l.Hash, Controls: l.Controls,
		})
	}
	return out, nil
}

func frameworkVersion(v *framework.View, err error) (*adminapi.FrameworkVersionAnswer, error) {
	if err != nil {
		return nil, err
	}
	b := adminapi.FrameworkVersionBody{
		Framework: v.Framework, Version: v.Version, Title: v.Title, FrameworkVersionState: v.FrameworkVersionState, Text: v.Text,
		Decisions: v.Decisions, Counted: v.Counted,
	}
	if b.Decisions == nil {
		b.Decisions = []gatehouse.Decision{}
	}
	for _, u := range v.Uncounted {
		b.Uncounted = append(b.Uncounted, adminapi.UncountedApproval(u))
	}
	return &adminapi.FrameworkVersionAnswer{Body: b}, nil
}

func moveFramework(do func(ctx context.Context, name, version, reason string) (*framework.Moved, error)) func(context.Context, *adminapi.MoveFrameworkRequest) (*adminapi.FrameworkMoved, error) {
	return func(ctx context.Context, in *adminapi.MoveFrameworkRequest) (*adminapi.FrameworkMoved, error) {
		reason := ""
		if in.Body != nil {
			reason = in.Body.Reason
		}
		return frameworkMoved(do(ctx, in.Name, in.Version, reason))
	}
}

func decideFramework(do func(ctx context.Context, name, version string, w framework.Word) (*framework.Moved, error)) func(context.Context, *adminapi.DecideFrameworkRequest) (*adminapi.FrameworkMoved, error) {
	return func(ctx context.Context, in *adminapi.DecideFrameworkRequest) (*adminapi.FrameworkMoved, error) {
		var w framework.Word
		if b := in.Body; b != nil {
			w = framework.Word{Comment: b.Comment, Evidence: b.Evidence, Hash: b.Hash}
		}
		return frameworkMoved(do(ctx, in.Name, in.Version, w))
	}
}

func frameworkMoved(m *framework.Moved, err error) (*adminapi.FrameworkMoved, error) {
	if err != nil {
		return nil, err
	}
	out := &adminapi.FrameworkMoved{}
	b := &out.Body
	b.Framework, b.Version, b.FrameworkVersionState, b.Seq = m.Framework, m.Version, m.FrameworkVersionState, int64(m.Seq)
	return out, nil
}

// frameworkDocument writes the document, or reads the approved one. As HTML it
// is opened by browsers, which are told to run nothing of it.
func (s *Server) frameworkDocument(ctx context.Context, d *framework.Desk, in *adminapi.GetFrameworkDocumentRequest) (*adminapi.FrameworkDocument, error) {
	html := in.Format == "html"
	out := &adminapi.FrameworkDocument{ContentType: "text/markdown; charset=utf-8", Policy: document.Policy + "; sandbox"}
	if html {
		out.ContentType = "text/html; charset=utf-8"
	}
	var err error
	if in.Approved {
		out.Body, err = d.Approved(ctx, in.Name, in.Version, html)
		return out, err
	}
	v, err := d.Show(ctx, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	page, err := document.Of(ctx, s.DB, v, d.Now(), func(kind gatehouse.Kind, team, name string) bool {
		return s.allow(ctx, catalog.Action(kind, "get"), gatehouse.Key(kind, team, name)) == nil
	})
	if err != nil {
		return nil, err
	}
	if out.Body = page.Markdown(); html {
		out.Body = page.HTML()
	}
	return out, nil
}
