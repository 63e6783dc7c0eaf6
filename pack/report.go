package pack

import "fmt"

// A Report is what a look at a pack found.
type Report struct {
	Manifest Manifest `json:"manifest"`
	// Key is the fingerprint of the key that signed: the SHA-256 of its bytes.
	Key string `json:"key"`
	// Trusted is false when the key came from the pack itself: it then proves
	// that the pack is whole, and not whose it is.
	Trusted  bool     `json:"trusted"`
	Versions []string `json:"versions"` // of the framework: "2026.1 in-force, 2 of 2 approvals"
	Counts   Counts   `json:"counts"`
	Faults   []string `json:"faults,omitempty"` // what does not hold
	Notes    []string `json:"notes,omitempty"`  // what an auditor should know
}

// Counts are how much of everything was verified.
type Counts struct {
	Files        int `json:"files"`
	Decisions    int `json:"decisions"`
	Attestations int `json:"attestations"`
	Valid        int `json:"valid"` // attestations that are neither revoked nor over
	Waivers      int `json:"waivers"`
	Events       int `json:"events"`
	Links        int `json:"links"` // neighbouring events that follow each other
	Evidence     int `json:"evidence"`
}

// OK reports whether everything holds.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

func (r *Report) note(format string, args ...any) {
	if len(r.Notes) < maxFaults {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}
