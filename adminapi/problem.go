package adminapi

import "gatehouse"

// A Problem is how every error is answered: application/problem+json
// (RFC 9457), with the faults of the input one by one.
type Problem struct {
	// Type is stable: "https://gatehouse.dev/problems/" and the error's kind.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Instance is the request's id, to quote when asking for help.
	Instance string            `json:"instance,omitempty"`
	Errors   []gatehouse.Fault `json:"errors,omitempty"`
}

// Error is the detail, so that a Problem is an error to huma.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457 §3.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// ProblemType begins every problem's type.
const ProblemType = "https://gatehouse.dev/problems/"
