package server

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
)

// gateRoom carries out the routes of the compliance gate.
type gateRoom struct {
	*Server
	gate     *gate.Gate
	catalog  *catalog.Catalog
	releases *release.Desk
}

// BindGate binds the gate, its attestations and its waivers.
func (s *Server) BindGate(g *gate.Gate, c *catalog.Catalog, d *release.Desk) {
	r := gateRoom{s, g, c, d}
	bind(s, adminapi.RunGate, func(ctx context.Context, in *adminapi.RunGateRequest) (*adminapi.GateAnswer, error) {
		t, err := r.target(ctx, in.VersionPath, in.Body)
		if err != nil {
			return nil, err
		}
		return ran(g.Run(ctx, t))
	})
	bind(s, adminapi.GetGate, r.get)
	bind(s, adminapi.ListGate, r.list)
	bind(s, adminapi.ListAnswers, func(ctx context.Context, in *adminapi.ListAnswersRequest) (*adminapi.AnswerList, error) {
		all, err := g.Answers(ctx, in.Team+"/"+in.Name, in.Version)
		if err != nil {
			return nil, err
		}
		all, next, err := paged(all, in.Paged, func(a *gatehouse.Answer) string { return inTime(a.Time, a.Framework+"/"+a.Control+"/"+a.Digest) })
		out := &adminapi.AnswerList{}
		out.Body.Items, out.Body.Next = []adminapi.AnswerBody{}, next
		for i := range all {
			b, broken := answerBody(&all[i])
			out.Body.Items, err = append(out.Body.Items, b), cmp.Or(err, broken)
		}
		return out, err
	})
	bind(s, adminapi.AnswerGate, r.answer)
	bind(s, adminapi.ConfirmGate, r.confirm)
	bind(s, adminapi.RevokeAttestation, r.revoke)
	bind(s, adminapi.RestoreAttestation, func(ctx context.Context, in *adminapi.RevokeAttestationRequest) (*adminapi.GateAnswer, error) {
		t, err := r.attested(ctx, in.VersionPath, in.Body.GateOf)
		if err != nil {
			return nil, err
		}
		return ran(g.Restore(ctx, t, in.Body.Reason))
	})
	bind(s, adminapi.GetGateKeys, r.keys)
	r.bindWaivers()
}

// target is the revision that a request names, the newest if it names none.
func (r gateRoom) target(ctx context.Context, v adminapi.VersionPath, of adminapi.GateOf) (gate.Target, error) {
	ref := refOf(v)
	ref.Revision = of.Revision
	rev, err := r.catalog.Revision(ctx, ref)
	if err != nil {
		return gate.Target{}, err
	}
	return gate.Target{Environment: of.Environment, Team: v.Team, Name: v.Name, Version: v.Version, Revision: rev.Hash}, nil
}

// attested is the revision that a request names, what is released if it names
// none: nobody takes back what is not there.
func (r gateRoom) attested(ctx context.Context, v adminapi.VersionPath, of adminapi.GateOf) (gate.Target, error) {
	if of.Revision == "" {
		live, err := r.releases.Of(ctx, refOf(v))
		if err != nil {
			return gate.Target{}, err
		}
		for _, rel := range live {
			if rel.Environment == of.Environment {
				of.Revision = rel.Revision
			}
		}
	}
	return r.target(ctx, v, of)
}

func ran(run *gate.Run, err error) (*adminapi.GateAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &adminapi.GateAnswer{Body: adminapi.GateBody{Result: *run.Result, Attestation: run.Attestation}}, nil
}

func (r gateRoom) get(ctx context.Context, in *adminapi.GetGateRequest) (*adminapi.GateAnswer, error) {
	t := gate.Target{Environment: in.Environment, Team: in.Team, Name: in.Name, Version: in.Version}
	if in.Revision != "" {
		var err error
		if t, err = r.target(ctx, in.VersionPath, adminapi.GateOf{Environment: in.Environment, Revision: in.Revision}); err != nil {
			return nil, err
		}
	}
	return ran(r.gate.Show(ctx, t))
}

func (r gateRoom) list(ctx context.Context, in *adminapi.ListGateRequest) (*adminapi.GateList, error) {
	all, next, err := r.gate.List(ctx, gate.Selection{
		Environment: in.Environment, Team: in.Team, API: in.API, Framework: in.Framework, Failing: in.Failing, OnNotice: in.OnNotice, Limit: in.Limit, After: in.After,
	})
	if err != nil {
		return nil, err
	}
	out := &adminapi.GateList{}
	out.Body.Items, out.Body.Next = []adminapi.GateItem{}, next
	may := r.seen(ctx, "gate.list")
	for i := range all {
		if may(all[i].API) {
			out.Body.Items = append(out.Body.Items, gateItem(&all[i]))
		}
	}
	return out, nil
}

// seen answers, asking once for each, whether the caller may do the action on
// an API.
func (r gateRoom) seen(ctx context.Context, action string) func(api string) bool {
	may := map[string]bool{}
	return func(api string) bool {
		ok, known := may[api]
		if !known {
			ok = r.allow(ctx, action, "API/"+api) == nil
			may[api] = ok
		}
		return ok
	}
}

func gateItem(r *gatehouse.GateResult) adminapi.GateItem {
	i := adminapi.GateItem{
		Environment: r.Environment, Mode: r.Mode, API: r.API, Version: r.Version, Revision: r.Revision, Framework: r.Framework,
		FrameworkVersion: r.FrameworkVersion, Outcome: r.Outcome, Notice: r.Notice, Expires: r.Expires, Time: r.Time,
	}
	for _, c := range r.Controls {
		switch c.Outcome {
		case gatehouse.GateFailed, gatehouse.GateWaiting, gatehouse.GateGrace:
			i.Short = append(i.Short, c.ID)
		case gatehouse.GateWaived:
			i.Waived = append(i.Waived, c.ID)
		}
	}
	return i
}

func (r gateRoom) answer(ctx context.Context, in *adminapi.AnswerGateRequest) (*adminapi.AnswerAnswer, error) {
	t, err := r.target(ctx, in.VersionPath, in.Body.GateOf)
	if err != nil {
		return nil, err
	}
	return answered(r.gate.Answer(ctx, t, gate.Reply{Control: in.Body.Control, Text: in.Body.Text, Evidence: in.Body.Evidence}))
}

func answered(a *gatehouse.Answer, err error) (*adminapi.AnswerAnswer, error) {
	if err != nil {
		return nil, err
	}
	b, err := answerBody(a)
	return &adminapi.AnswerAnswer{Body: b}, err
}

// answerBody is an answer with the hash by which it is decided on.
func answerBody(a *gatehouse.Answer) (b adminapi.AnswerBody, err error) {
	b.Answer = *a
	b.Hash, err = a.Given()
	return b, err
}

func (r gateRoom) confirm(ctx context.Context, in *adminapi.ConfirmGateRequest) (*adminapi.AnswerAnswer, error) {
	t, err := r.target(ctx, in.VersionPath, in.Body.GateOf)
	if err != nil {
		return nil, err
	}
	return answered(r.gate.Confirm(ctx, t, gate.Reply{Control: in.Body.Control, Text: in.Body.Comment, Reject: in.Body.Reject, Hash: in.Body.Hash}))
}

func (r gateRoom) revoke(ctx context.Context, in *adminapi.RevokeAttestationRequest) (*adminapi.AttestationAnswer, error) {
	t, err := r.attested(ctx, in.VersionPath, in.Body.GateOf)
	if err != nil {
		return nil, err
	}
	a, err := r.gate.Revoke(ctx, t, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &adminapi.AttestationAnswer{Body: *a}, nil
}

func (r gateRoom) keys(context.Context, *adminapi.Empty) (*adminapi.GateKeys, error) {
	installation, keys := r.gate.Keys()
	out := &adminapi.GateKeys{Body: adminapi.GateKeysBody{Installation: installation, Keys: []adminapi.GateKey{}}}
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		out.Body.Keys = append(out.Body.Keys, adminapi.GateKey{ID: id, Algorithm: "Ed25519", PublicKey: keys[id]})
	}
	return out, nil
}
