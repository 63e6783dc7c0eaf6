package server

import (
	"context"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/governance/proof"
)

// BindProof binds the pack for auditors.
func (s *Server) BindProof(p *proof.Prover) {
	bind(s, adminapi.GetEvidencePack, func(ctx context.Context, in *adminapi.EvidencePackRequest) (*adminapi.EvidencePack, error) {
		k, err := p.Open(ctx, in.Name, in.Environment)
		if err != nil {
			return nil, err
		}
		return &adminapi.EvidencePack{
			ContentType: "application/zip", Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": in.Name + "-evidence.zip"}),
			Body: func(c huma.Context) {
				if err := k.Write(ctx, c.BodyWriter()); err != nil {
					s.broken(ctx, "gate.evidence", "Framework "+in.Name, err)
				}
			},
		}, nil
	})
}

// broken ends an answer that is under way, so that nobody takes its beginning
// for the whole, and puts on record that it failed.
func (s *Server) broken(ctx context.Context, action, object string, err error) {
	s.Log.Error("an answer broke off", "action", action, "object", object, "error", err)
	if e := s.Trail.Record(context.WithoutCancel(ctx), action, object, "", gatehouse.Failed, err); e != nil {
		s.Log.Error("recording a failure", "action", action, "error", e)
	}
	panic(http.ErrAbortHandler)
}
