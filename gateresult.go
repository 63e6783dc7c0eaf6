package gatehouse

import "time"

// Outcomes of a control, and of a whole evaluation, as people see them. In an
// attestation an advisory control that is not obeyed stands as failed.
const (
	GatePassed   = "passed"   // obeyed
	GateFailed   = "failed"   // required, and not obeyed
	GateWaived   = "waived"   // not obeyed, and excepted until a date
	GateGrace    = "grace"    // not obeyed, and on notice until a date
	GateWaiting  = "waiting"  // for a person
	GateAdvisory = "advisory" // not obeyed, and not required
)

// KindGateResult is the kind of the records of evaluations.
const KindGateResult Kind = "GateResult"

// A GateResult is what the gate found when it looked at a revision of an API
// version for an environment, kept under [GateResultKey]: the last evaluation of
// what is released there, and the last one of any other revision.
type GateResult struct {
	Environment string `json:"environment"`
	Mode        string `json:"mode"` // of the environment's gate: enforce, report or off
	API         string `json:"api"`  // "payments/orders"
	Version     string `json:"version"`
	Revision    string `json:"revision"`
	Released    bool   `json:"released"` // the revision was live there
	// Framework and version that judged; "" when the API names none and the
	// environment has none for such.
	Framework        string `json:"framework,omitempty"`
	FrameworkVersion string `json:"frameworkVersion,omitempty"`
	FrameworkHash    string `json:"frameworkHash,omitempty"`
	// Outcome is the worst of the required controls: passed, waived, grace,
	// waiting or failed.
	Outcome  string        `json:"outcome"`
	Reason   string        `json:"reason,omitempty"` // when no control could be asked
	Controls []GateControl `json:"controls"`
	Time     time.Time     `json:"time"`
	By       string        `json:"by"`
	// Notice is when the first period of grace ends; then the attestation does.
	Notice time.Time `json:"notice,omitzero"`
	// Attestation is the id of the statement made of it, "" for none, and
	// Expires its end.
	Attestation string    `json:"attestation,omitempty"`
	Expires     time.Time `json:"expires,omitzero"`
	Backend     string    `json:"backend,omitempty"` // the revision's, "payments/orders"
	// Demanded is when the environment began to demand the gate of what was live.
	Demanded time.Time `json:"demanded,omitzero"`
	// Warned is when the end of a notice, or of an answer, was announced last.
	Warned time.Time `json:"warned,omitzero"`
	// Told is when that end was first known.
	Told time.Time `json:"told,omitzero"`
	// Due is when to look again although nothing changed.
	Due time.Time `json:"due,omitzero"`
	// Seq is the batch of the store that the evaluation read up to.
	Seq int64 `json:"seq"`
}

// A GateControl is what became of one control.
type GateControl struct {
	ID       string `json:"id"`
	Title    string `json:"title,omitempty"`
	Kind     string `json:"kind"` // lint, policy, cel, placement, change or question
	Level    string `json:"level"`
	Severity string `json:"severity"`
	Outcome  string `json:"outcome"`
	// Inputs is the SHA-256 of all that the check looked at.
	Inputs string `json:"inputs,omitempty"`
	// Kept is true when an earlier pass with the same inputs was taken over.
	Kept     bool      `json:"kept,omitempty"`
	Waiver   string    `json:"waiver,omitempty"`   // its id
	Until    time.Time `json:"until,omitzero"`     // end of waiver, grace or answer
	Evidence []string  `json:"evidence,omitempty"` // SHA-256 of each file
	// Findings say what is not obeyed, where, and what would satisfy the control.
	Findings []GateFinding `json:"findings,omitempty"`
	// More is how many findings are left out.
	More int `json:"more,omitempty"`
}

// A GateFinding is one thing that does not obey a control.
type GateFinding struct {
	Operation string `json:"operation,omitempty"` // operationId, or "POST /orders"
	// File, Line and Column are the place in the definition; 0 for none.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Object and Field are the place in a document, "API payments/orders" and
	// "spec.versions[0].policies".
	Object string `json:"object,omitempty"`
	Field  string `json:"field,omitempty"`
	Rule   string `json:"rule,omitempty"` // of a ruleset, or the id of a breaking change
	Detail string `json:"detail"`         // what is wrong
	Remedy string `json:"remedy"`         // what would satisfy the control
}

// GateResultKey is where the last evaluation lies: of what is released, or of
// what is not.
func GateResultKey(environment, team, name, version string, released bool) string {
	slot := "next"
	if released {
		slot = "live"
	}
	return string(KindGateResult) + "/" + environment + "/" + team + "/" + name + "/" + version + "/" + slot
}

// KindAnswer is the kind of the records of answers to questions.
const KindAnswer Kind = "Answer"

// An Answer is a person's word on a question of a control about one API version,
// kept under [AnswerKey]. It holds for what was asked about as it then was: the
// digest of the question and of all it depends on. It is never changed; a new
// one replaces one that was rejected, and history keeps it.
type Answer struct {
	Framework string    `json:"framework"`
	Control   string    `json:"control"`
	API       string    `json:"api"`
	Version   string    `json:"version"`
	Digest    string    `json:"digest"` // what it is about
	Text      string    `json:"text"`
	Evidence  []string  `json:"evidence,omitempty"` // SHA-256 of files kept as Evidence
	By        string    `json:"by"`
	Time      time.Time `json:"time"`
	// State: Requested until someone else confirms, then Approved or Rejected.
	State     string    `json:"state"`
	DecidedBy string    `json:"decidedBy,omitempty"`
	Decided   time.Time `json:"decided,omitzero"`
	Comment   string    `json:"comment,omitempty"`
}

// AnswerKey is where the answer to a control's question about an API version
// lies.
func AnswerKey(framework, control, team, name, version, digest string) string {
	return string(KindAnswer) + "/" + team + "/" + name + "/" + version + "/" + framework + "/" + control + "/" + digest
}
