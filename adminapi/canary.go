package adminapi

import (
	"time"

	"gatehouse"
)

// releaseRoutes are the routes of releases on their way: canaries, schedules,
// and what was released before.
var releaseRoutes = []Described{PauseCanary, ResumeCanary, AbortCanary, FinishCanary, CancelRelease, ListSchedules, ListReleases}

// The routes of releases on their way.
var (
	PauseCanary = Route[CanaryRequest, ReleaseAnswer]{Operation{
		ID: "pauseCanary", Pattern: "POST " + versionPath + "/pause", Action: "release.pause", On: versionOn,
		Doc: "Keep a canary's share as it is until it is resumed",
	}}
	ResumeCanary = Route[CanaryRequest, ReleaseAnswer]{Operation{
		ID: "resumeCanary", Pattern: "POST " + versionPath + "/resume", Action: "release.resume", On: versionOn,
		Doc: "Let a paused canary go on\n\nIts step begins anew.",
	}}
	AbortCanary = Route[CanaryRequest, ReleaseAnswer]{Operation{
		ID: "abortCanary", Pattern: "POST " + versionPath + "/abort", Action: "release.abort", On: versionOn,
		Doc: "Send a canary's callers back to the revision beside it",
	}}
	FinishCanary = Route[CanaryRequest, ReleaseAnswer]{Operation{
		ID: "finishCanary", Pattern: "POST " + versionPath + "/finish", Action: "release.finish", On: versionOn,
		Doc: "Give a canary all callers now",
	}}
	CancelRelease = Route[CanaryRequest, ReleaseAnswer]{Operation{
		ID: "cancelRelease", Pattern: "POST " + versionPath + "/cancel", Action: "release.cancel", On: versionOn,
		Doc: "Take a scheduled release back",
	}}
	ListSchedules = Route[ListSchedulesRequest, Schedules]{Operation{
		ID: "listSchedules", Pattern: "GET /v1/release-schedules", Action: "release.list",
		Doc: `List scheduled releases by their time

Those that are waiting for their time, those awaiting that their revision is live where it has to be first, and for each API version and environment the last that was done, skipped or cancelled, with the reason.`,
	}}
	ListReleases = Route[ListReleasesRequest, Releases]{Operation{
		ID: "listReleases", Pattern: "GET " + versionPath + "/releases", Action: "release.get", On: versionOn,
		Doc: "List what was released into an environment, newest first, with the notes",
	}}
)

// Requests of releases on their way.
type (
	CanaryRequest struct {
		VersionPath
		Body struct {
			Environment string `json:"environment"`
			Reason      string `json:"reason,omitempty" maxLength:"2000"`
		}
	}
	ListSchedulesRequest struct {
		Team        string `query:"team"`
		Environment string `query:"environment"`
		State       string `query:"state" enum:"waiting,awaiting,done,skipped,cancelled"`
		Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		After       string `query:"after" doc:"Cursor from the page before."`
	}
	ListReleasesRequest struct {
		VersionPath
		Environment string `query:"environment" required:"true"`
		Paged
	}
)

// Answers about releases on their way.
type (
	Schedules struct {
		Body struct {
			Items []gatehouse.ReleaseSchedule `json:"items"`
			Next  string                      `json:"next,omitempty"`
		}
	}
	Releases struct {
		Body struct {
			Items []ReleaseItem `json:"items"`
			Next  string        `json:"next,omitempty"`
		}
	}
	ReleaseItem struct {
		gatehouse.Release
		Changed time.Time `json:"changed"` // when it came to be so
		Seq     int64     `json:"seq"`
		// Hash of what waits for approval; who decides sends it along.
		Hash string `json:"hash,omitempty"`
		// Withdrawn is set where the version was taken out.
		Withdrawn bool `json:"withdrawn,omitempty"`
	}
)
