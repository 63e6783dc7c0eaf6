package adminapi

import (
	"gatehouse"
)

const onboardingPath = "/v1/onboardings/{id}"

// onboardingRoutes are the routes of on-boardings. Where one names no object,
// its handler asks: whoever has a part in an on-boarding needs no permission.
var onboardingRoutes = []Described{
	GetOnboardingTerms, StartOnboarding, ListOnboardings, GetOnboarding,
	ApproveOnboarding, RejectOnboarding, AskOnboarding, AnswerOnboarding, WithdrawOnboarding,
}

// The routes of on-boardings.
var (
	GetOnboardingTerms = Route[TermsRequest, TermsAnswer]{Operation{
		ID: "getOnboardingTerms", Pattern: "GET /v1/onboarding-terms", Action: "framework.get", On: "organization",
		Doc: "Read the responsibilities that whoever on-boards accepts\n\nThey are those of the framework version in force, word for word, with their SHA-256.",
	}}
	StartOnboarding = Route[StartOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "startOnboarding", Pattern: "POST /v1/onboardings", Action: "onboarding.create", On: "organization", Status: 201,
		Doc: `Ask to come onto the framework, or for more than a team is allowed

Anybody signed in may ask for a new team; for one that is there, those who are of it. Where a framework is in force its responsibilities are to be accepted. A rule of the framework may let it through at once; otherwise the provider team decides.`,
	}}
	ListOnboardings = Route[ListOnboardingsRequest, Onboardings]{Operation{
		ID: "listOnboardings", Pattern: "GET /v1/onboardings", Action: "onboarding.list",
		Doc: "List on-boardings by id\n\nThose of everybody for who may list them, else the caller's own.",
	}}
	GetOnboarding = Route[OnboardingRef, OnboardingAnswer]{Operation{
		ID: "getOnboarding", Pattern: "GET " + onboardingPath, Action: "onboarding.get",
		Doc: "Read an on-boarding\n\nWhoever has a part in it may.",
	}}
	ApproveOnboarding = Route[DecideOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "approveOnboarding", Pattern: "POST " + onboardingPath + "/approve", Action: "onboarding.approve", On: "organization",
		Doc: `Let an on-boarding through

Team, users, roles and what the team is allowed are made in one transaction. Whoever asked for it, or is among its members, cannot approve it.`,
	}}
	RejectOnboarding = Route[DecideOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "rejectOnboarding", Pattern: "POST " + onboardingPath + "/reject", Action: "onboarding.reject", On: "organization",
		Doc: "Turn an on-boarding down, with a reason",
	}}
	AskOnboarding = Route[AskOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "askOnboarding", Pattern: "POST " + onboardingPath + "/ask", Action: "onboarding.ask", On: "organization",
		Doc: "Ask the asking side back\n\nNothing is decided until it is answered.",
	}}
	AnswerOnboarding = Route[AnswerOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "answerOnboarding", Pattern: "POST " + onboardingPath + "/answer", Action: "onboarding.answer",
		Doc: "Answer what was asked back, and change what is asked for\n\nWhoever has a part in it may.",
	}}
	WithdrawOnboarding = Route[DecideOnboardingRequest, OnboardingAnswer]{Operation{
		ID: "withdrawOnboarding", Pattern: "POST " + onboardingPath + "/withdraw", Action: "onboarding.withdraw",
		Doc: "Take an on-boarding back\n\nWhoever has a part in it may.",
	}}
)

// Requests of on-boardings.
type (
	TermsRequest struct {
		Framework string `query:"framework" doc:"Which one; needed when several are in force."`
	}
	OnboardingRef struct {
		ID string `path:"id" maxLength:"100" doc:"The on-boarding's id, such as payments-1."`
	}
	StartOnboardingRequest struct {
		Body struct {
			Request gatehouse.OnboardingRequest `json:"request"`
			Accept  OnboardingAcceptance        `json:"accept,omitzero"`
		}
	}
	// OnboardingAcceptance says which responsibilities are accepted.
	OnboardingAcceptance struct {
		Version string `json:"version,omitempty" maxLength:"63" doc:"Version of the framework, which must be in force."`
		Hash    string `json:"hash,omitempty" maxLength:"64" doc:"SHA-256 of the words that were read; checked when given."`
	}
	ListOnboardingsRequest struct {
		Team  string `query:"team"`
		State string `query:"state" enum:"requested,asked-back,answered,approved,rejected,withdrawn"`
		Mine  bool   `query:"mine" doc:"Only what the caller asked for."`
		Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		After string `query:"after" doc:"Cursor from the page before."`
	}
	DecideOnboardingRequest struct {
		OnboardingRef
		Body *struct {
			Reason string `json:"reason,omitempty" maxLength:"4000"`
		}
	}
	AskOnboardingRequest struct {
		OnboardingRef
		Body struct {
			Question string `json:"question" maxLength:"4000"`
		}
	}
	AnswerOnboardingRequest struct {
		OnboardingRef
		Body struct {
			Answer  string                       `json:"answer" maxLength:"4000"`
			Request *gatehouse.OnboardingRequest `json:"request,omitempty" doc:"What is asked for instead; the team stays."`
			Accept  OnboardingAcceptance         `json:"accept,omitzero" doc:"Responsibilities accepted anew."`
		}
	}
)

// Answers about on-boardings.
type (
	TermsAnswer struct {
		Body struct {
			// InForce is false when no framework is: then nothing is to be accepted.
			InForce   bool   `json:"inForce"`
			Framework string `json:"framework,omitempty"`
			Version   string `json:"version,omitempty"`
			Hash      string `json:"hash,omitempty" doc:"SHA-256 of the text, hexadecimal."`
			Text      string `json:"text,omitempty" doc:"Markdown."`
		}
	}
	OnboardingAnswer struct{ Body OnboardingBody }
	OnboardingBody   struct {
		gatehouse.Onboarding
		// Notes are what whoever decides may want to know.
		Notes []string `json:"notes,omitempty"`
		Seq   int64    `json:"seq,omitempty"`
	}
	Onboardings struct {
		Body struct {
			Items []gatehouse.Onboarding `json:"items"`
			Next  string                 `json:"next,omitempty"`
		}
	}
)
