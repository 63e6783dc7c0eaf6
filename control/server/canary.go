package server

import (
	"context"
	"strconv"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/release"
	"gatehouse/store"
)

// bindCanaries binds the routes of releases on their way.
func (r releaseRoom) bindCanaries() {
	step := func(action string) func(context.Context, *adminapi.CanaryRequest) (*adminapi.ReleaseAnswer, error) {
		return func(ctx context.Context, in *adminapi.CanaryRequest) (*adminapi.ReleaseAnswer, error) {
			return r.released(r.releases.Canary(ctx, refOf(in.VersionPath), in.Body.Environment, release.CanaryStep{Action: action, Reason: in.Body.Reason}))
		}
	}
	for _, route := range []adminapi.Route[adminapi.CanaryRequest, adminapi.ReleaseAnswer]{
		adminapi.PauseCanary, adminapi.ResumeCanary, adminapi.AbortCanary, adminapi.FinishCanary,
	} {
		bind(r.Server, route, step(route.Action))
	}
	bind(r.Server, adminapi.CancelRelease, func(ctx context.Context, in *adminapi.CanaryRequest) (*adminapi.ReleaseAnswer, error) {
		return r.released(r.releases.Cancel(ctx, refOf(in.VersionPath), in.Body.Environment, in.Body.Reason))
	})
	bind(r.Server, adminapi.ListSchedules, r.listSchedules)
	bind(r.Server, adminapi.ListReleases, func(ctx context.Context, in *adminapi.ListReleasesRequest) (*adminapi.Releases, error) {
		before, err := pageNumber(in.After)
		if err != nil {
			return nil, err
		}
		past, more, err := r.releases.Past(ctx, refOf(in.VersionPath), in.Environment, in.Limit, store.Seq(before))
		out := &adminapi.Releases{}
		if more {
			out.Body.Next = strconv.FormatInt(int64(past[len(past)-1].Seq), 10)
		}
		out.Body.Items = make([]adminapi.ReleaseItem, 0, len(past))
		for _, p := range past {
			out.Body.Items = append(out.Body.Items, adminapi.ReleaseItem{Release: p.Release, Changed: p.Changed, Seq: int64(p.Seq), Withdrawn: p.Withdrawn, Hash: waitingHash(&p.Release)})
		}
		return out, err
	})
}

// terms are how a revision is to come in; overriding a freeze is a permission
// of its own.
func (r releaseRoom) terms(ctx context.Context, v adminapi.VersionPath, t adminapi.ReleaseTerms) (release.Terms, error) {
	if t.Override != "" {
		if err := r.allow(ctx, "release.override", "API/"+v.Team+"/"+v.Name); err != nil {
			return release.Terms{}, err
		}
	}
	return release.Terms{Note: t.Note, At: t.At, Canary: t.Canary, Override: t.Override}, nil
}

func (r releaseRoom) released(rel release.Released, err error) (*adminapi.ReleaseAnswer, error) {
	return &adminapi.ReleaseAnswer{Body: adminapi.ReleaseBody{
		Release: rel.Release, Seq: int64(rel.Seq), Schedule: rel.Schedule, Approvals: rel.Approvals, Needed: rel.Needed, NotPlaced: rel.NotPlaced, Hash: waitingHash(&rel.Release),
	}}, err
}

// listSchedules lists those that the caller may see.
func (r releaseRoom) listSchedules(ctx context.Context, in *adminapi.ListSchedulesRequest) (*adminapi.Schedules, error) {
	if in.Team != "" {
		if err := r.allow(ctx, adminapi.ListSchedules.Action, "team/"+in.Team); err != nil {
			return nil, err
		}
	}
	all, next, err := r.releases.Schedules(ctx, release.ScheduleFilter{Team: in.Team, Environment: in.Environment, State: in.State}, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	out := &adminapi.Schedules{}
	out.Body.Items, out.Body.Next = []gatehouse.ReleaseSchedule{}, next
	for _, s := range all {
		if in.Team != "" || r.allow(ctx, adminapi.ListSchedules.Action, "API/"+s.API) == nil {
			out.Body.Items = append(out.Body.Items, s)
		}
	}
	return out, nil
}

// waitingHash is that of a release that waits for approval, "" for others.
func waitingHash(r *gatehouse.Release) string {
	if r.State != gatehouse.ReleaseRequested {
		return ""
	}
	hash, err := r.Requested()
	if err != nil {
		return ""
	}
	return hash
}
