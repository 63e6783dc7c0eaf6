package server

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/catalog"
)

// noTime asks for what is now.
var noTime time.Time

// maxDocuments bounds one bundle.
const maxDocuments = 50_000

func (r catalogRoom) apply(ctx context.Context, in *adminapi.ApplyRequest) (*adminapi.ApplyAnswer, error) {
	b := &in.Body
	if len(b.Documents) > maxDocuments {
		return nil, gatehouse.E(gatehouse.TooLarge, "applying: %d documents; at most %d at once", len(b.Documents), maxDocuments)
	}
	req := catalog.Request{Files: b.Files, Set: b.Set, Prune: b.Prune, YesDelete: b.YesDelete, Force: b.Force, DryRun: b.DryRun, Allow: r.allowWrites}
	var faults []gatehouse.Fault
	from := map[string]string{}
	for _, d := range b.Documents {
		o, err := gatehouse.DecodeObject(d.Object)
		if err != nil {
			faults = append(faults, inFile(err, d.File)...)
			continue
		}
		from[o.Ref()] = d.File
		req.Documents = append(req.Documents, catalog.Document{Object: o, Files: d.Files})
	}
	if len(faults) > 0 {
		return nil, gatehouse.InvalidFaults(faults[:min(len(faults), 100)])
	}
	done, err := r.catalog.Apply(ctx, req)
	if err != nil {
		return nil, placed(err, from)
	}
	out := &adminapi.ApplyAnswer{}
	out.Body.Results, out.Body.Seq = []adminapi.AppliedObject{}, int64(done.Seq)
	for _, c := range done.Changes {
		out.Body.Results = append(out.Body.Results, applied(c))
	}
	for _, h := range done.Held {
		out.Body.Held = append(out.Body.Held, adminapi.HeldRelease(h))
	}
	return out, nil
}

// inFile is an error's faults, or the error as one, with the file they are in.
func inFile(err error, file string) []gatehouse.Fault {
	e, ok := errors.AsType[*gatehouse.Error](err)
	if !ok || len(e.Faults) == 0 {
		return []gatehouse.Fault{{File: file, Detail: err.Error()}}
	}
	for i := range e.Faults {
		if e.Faults[i].File == "" {
			e.Faults[i].File = file
		}
	}
	return e.Faults
}

// placed names the file of each fault's document, where the fault is not in a
// definition.
func placed(err error, from map[string]string) error {
	e, ok := errors.AsType[*gatehouse.Error](err)
	if !ok || e.Kind != gatehouse.Invalid || len(e.Faults) == 0 {
		return err
	}
	for i := range e.Faults {
		if f := &e.Faults[i]; f.File == "" {
			f.File = from[f.Object]
		}
	}
	return gatehouse.InvalidFaults(e.Faults)
}

func applied(c catalog.Change) adminapi.AppliedObject {
	a := adminapi.AppliedObject{Kind: c.Kind, Ref: c.Ref, Action: c.Action, Changes: c.Diff}
	if c.Set != "" {
		a.Note = "taken over by set " + c.Set
	}
	if c.Kind == gatehouse.KindRelease {
		a.Note = c.Revision
		if a.Action = "release"; c.Action == catalog.Delete {
			a.Action = "withdraw"
		}
	}
	return a
}

func (r catalogRoom) export(ctx context.Context, in *adminapi.ExportRequest) (*adminapi.ExportAnswer, error) {
	s := catalog.Scope{Team: in.Team, Allow: r.mayRead}
	if in.Kind != "" {
		info, ok := gatehouse.Info(in.Kind)
		if !ok {
			return nil, gatehouse.E(gatehouse.Invalid, "kind: %q is not a kind of document", in.Kind)
		}
		s.Kind = info.Kind
	}
	var err error
	if s.AsOf, err = moment("asOf", in.AsOf); err != nil {
		return nil, err
	}
	if err := r.askOn(ctx, adminapi.Export.Action, access.Organization); err != nil && s.Team == "" {
		return nil, gatehouse.E(gatehouse.KindOf(err), "%w; with a team, what you may read of it can be had", err)
	}
	views, files, err := r.catalog.Export(ctx, s)
	if err == nil && len(views) == 0 && s.Team != "" {
		err = r.askOn(ctx, adminapi.Export.Action, "team/"+s.Team) // who may see nothing there hears nothing of it
	}
	if err != nil {
		return nil, err
	}
	out := &adminapi.ExportAnswer{Body: adminapi.ExportBody{Documents: []adminapi.ApplyDocument{}, Files: files}}
	for _, v := range views {
		out.Body.Documents = append(out.Body.Documents, adminapi.ApplyDocument{Object: v.Text, Files: v.Files})
	}
	return out, nil
}
