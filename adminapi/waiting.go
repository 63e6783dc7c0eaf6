package adminapi

import "time"

// waitingRoutes tell people what is theirs to do.
var waitingRoutes = []Described{ListWaiting}

// ListWaiting is what waits for the caller.
var ListWaiting = Route[Empty, WaitingAnswer]{Operation{
	ID: "listWaiting", Pattern: "GET /v1/waiting", Action: "waiting.list", On: "organization",
	Doc: `List what waits for a person, and that person may be the caller

Framework versions, waivers, releases, on-boardings, answers and subscriptions that the caller has the permission to decide on, on-boardings that wait for the caller's answer, and support requests that wait for an answer the caller may give. The longest waiting of each kind first.`,
	Bound: "at most 100 of each kind, and more tells whether there are others",
}}

// A WaitingAnswer is what waits.
type WaitingAnswer struct {
	Body struct {
		Items []WaitingItem `json:"items"`
		// More is set where there is more of a kind than is answered.
		More bool `json:"more,omitempty"`
	}
}

// A WaitingItem is one thing that waits for somebody.
type WaitingItem struct {
	// Kind: framework, waiver, release, onboarding, answer, subscription or support.
	Kind string `json:"kind"`
	// ID by which its routes know it: "corporate@2026.1", "payments/orders@v1",
	// "billing/invoices-commerce", or the id of a waiver, an on-boarding or a
	// support request.
	ID          string `json:"id"`
	Environment string `json:"environment,omitempty"` // of a release or waiver
	Control     string `json:"control,omitempty"`     // of a waiver or answer
	Team        string `json:"team,omitempty"`        // whose it is
	// Title is what is asked for, in a line.
	Title string    `json:"title"`
	By    string    `json:"by,omitempty"` // who asked
	Since time.Time `json:"since"`
	State string    `json:"state,omitempty"` // of an on-boarding or support request
	// Hash of what is to be decided on, of a framework, waiver, release or answer:
	// who decides sends it along, so that nothing else is decided on.
	Hash string `json:"hash,omitempty"`
	// Yours is set where the caller asked for it or wrote it, so that somebody
	// else decides; Decided where the caller has said their word already.
	Yours   bool `json:"yours,omitempty"`
	Decided bool `json:"decided,omitempty"`
}
