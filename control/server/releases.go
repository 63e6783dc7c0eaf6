package server

import (
	"context"

	"gatehouse/adminapi"
	"gatehouse/control/release"
)

// releaseRoom carries out the routes of releases.
type releaseRoom struct {
	*Server
	releases *release.Desk
}

// BindReleases binds what is done to releases.
func (s *Server) BindReleases(d *release.Desk) {
	r := releaseRoom{s, d}
	bind(r.Server, adminapi.Release, func(ctx context.Context, in *adminapi.ReleaseRequest) (*adminapi.ReleaseAnswer, error) {
		ref := refOf(in.VersionPath)
		ref.Revision = in.Body.Revision
		terms, err := r.terms(ctx, in.VersionPath, in.Body.ReleaseTerms)
		if err != nil {
			return nil, err
		}
		return r.released(r.releases.Release(ctx, ref, in.Body.Environment, terms))
	})
	bind(r.Server, adminapi.Promote, func(ctx context.Context, in *adminapi.PromoteRequest) (*adminapi.ReleaseAnswer, error) {
		terms, err := r.terms(ctx, in.VersionPath, in.Body.ReleaseTerms)
		if err != nil {
			return nil, err
		}
		return r.released(r.releases.Promote(ctx, refOf(in.VersionPath), in.Body.From, in.Body.To, terms))
	})
	bind(r.Server, adminapi.Rollback, func(ctx context.Context, in *adminapi.RollbackRequest) (*adminapi.ReleaseAnswer, error) {
		return r.released(r.releases.Rollback(ctx, refOf(in.VersionPath), in.Body.Environment, in.Body.Note))
	})
	bind(r.Server, adminapi.Withdraw, func(ctx context.Context, in *adminapi.WithdrawRequest) (*adminapi.Empty, error) {
		_, err := r.releases.Withdraw(ctx, refOf(in.VersionPath), in.Body.Environment, release.Terms{Note: in.Body.Note, Force: in.Body.Force})
		return &adminapi.Empty{}, err
	})
	bind(r.Server, adminapi.ApproveRelease, func(ctx context.Context, in *adminapi.DecideReleaseRequest) (*adminapi.ReleaseAnswer, error) {
		return r.released(r.releases.Approve(ctx, refOf(in.VersionPath), in.Body.Environment, wordOf(in)))
	})
	bind(r.Server, adminapi.RejectRelease, func(ctx context.Context, in *adminapi.DecideReleaseRequest) (*adminapi.ReleaseAnswer, error) {
		return r.released(r.releases.Reject(ctx, refOf(in.VersionPath), in.Body.Environment, wordOf(in)))
	})
	r.bindCanaries()
}

func wordOf(in *adminapi.DecideReleaseRequest) release.Word {
	return release.Word{Reason: in.Body.Reason, Revision: in.Body.Revision, Hash: in.Body.Hash}
}
