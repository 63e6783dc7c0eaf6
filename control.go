package gatehouse

import (
	"encoding/json"

	"gatehouse/jsonx"
)

// A Control is one rule of a framework.
type Control struct {
	ID       string `json:"id"`
	Title    string `json:"title,omitempty"`    // for people, a few words
	Text     string `json:"text,omitempty"`     // what it demands, and why
	Severity string `json:"severity,omitempty"` // low, medium (the default), high, critical
	Level    string `json:"level,omitempty"`    // required (the default) or advisory
	// Mappings are standard to references: owasp-api-2023, iso-27001-2022,
	// nist-800-53-r5, pci-dss-4, gdpr, or one of your own as x-….
	Mappings map[string][]string `json:"mappings,omitempty"`
	// Grace is for how long after the version comes into force an API that is
	// released already may fall short of the control; default 7d, least 1m.
	Grace jsonx.Duration `json:"grace,omitempty"`
	// Applies says where the control holds; without it, everywhere.
	Applies *Applies     `json:"applies,omitempty"`
	Check   ControlCheck `json:"check"` // a one-key map: how it is decided
}

// Levels of a control.
const (
	ControlRequired = "required"
	ControlAdvisory = "advisory"
)

// Applies says where a control holds; of each list, none named means all.
type Applies struct {
	Stages          []string `json:"stages,omitempty"`          // of the environment: dev, qa, prod
	Audiences       []string `json:"audiences,omitempty"`       // of the API: internal, partner, public
	Classifications []string `json:"classifications,omitempty"` // of the API's data: public, internal, confidential, restricted
}

// A ControlCheck is how a control is decided: exactly one of these.
type ControlCheck struct {
	Lint      *LintCheck      `json:"lint,omitempty"`      // the definition obeys a ruleset
	Policy    *PolicyCheck    `json:"policy,omitempty"`    // each operation's effective chain holds a policy
	CEL       *CELCheck       `json:"cel,omitempty"`       // an expression is true
	Placement *PlacementCheck `json:"placement,omitempty"` // gateways and backends lie where the data may be
	Change    *ChangeCheck    `json:"change,omitempty"`    // nothing breaks against the last published revision
	Question  *QuestionCheck  `json:"question,omitempty"`  // a person answers
}

// A LintCheck demands that the definition obeys a ruleset in the Spectral
// format. A version without a definition has nothing to check and passes.
type LintCheck struct {
	// Ruleset: the ruleset itself as a map, a file beside the document as
	// "./rules.yaml", or a built-in one such as "spectral:oas".
	Ruleset json.RawMessage `json:"ruleset"`
	// Rules of the ruleset that count; none: all it switches on.
	Rules []string `json:"rules,omitempty"`
	// FailOn is the least severity that fails the control: error (the default),
	// warn, info or hint.
	FailOn string `json:"failOn,omitempty"`
}

// A PolicyCheck demands that the effective chain of each operation contains a
// policy whose configuration satisfies a condition.
type PolicyCheck struct {
	Name string `json:"name"` // of the policy, "rate-limit"
	// Condition is a CEL expression over config, the policy's configuration with
	// defaults filled in, sizes in bytes and periods in seconds:
	// config.bytes <= 1048576, config.per >= 60. None: being there is enough.
	Condition string `json:"condition,omitempty"`
	// Operations that must have it; without it, all.
	Operations *OperationSelector `json:"operations,omitempty"`
	// Forbid turns it round: no chain may hold a policy that satisfies the condition.
	Forbid  bool   `json:"forbid,omitempty"`
	Message string `json:"message,omitempty"` // what would satisfy it, for people
}

// An OperationSelector picks operations; of each list, none named means all.
type OperationSelector struct {
	Methods []string `json:"methods,omitempty"` // POST, PUT, …
	Paths   []string `json:"paths,omitempty"`   // of the definition; "*" stands for any text: "/admin/*"
	IDs     []string `json:"ids,omitempty"`     // operationId, or "POST /orders"
	Except  []string `json:"except,omitempty"`  // operations that are left out, as in ids
}

// A CELCheck demands that an expression is true. It sees api, version,
// operation, environment, gateway, backend and framework.
type CELCheck struct {
	Expression string `json:"expression"`
	// Each is what it is asked for: version (the default: once), operation (for
	// each one) or gateway (for each one of the environment).
	Each    string `json:"each,omitempty"`
	Message string `json:"message,omitempty"` // what would satisfy it, for people
}

// A PlacementCheck demands that an API runs where its data may be.
type PlacementCheck struct {
	// Data demands that every gateway of the environment, and every backend target
	// whose location is known, lies in a jurisdiction that the API's data names.
	Data  bool            `json:"data,omitempty"`
	Rules []PlacementRule `json:"rules,omitempty"` // each that is met by an API binds it
}

// A PlacementRule says where APIs with certain data run. The first three say
// whom it binds, the rest where those may lie; none named means any.
type PlacementRule struct {
	Classifications []string `json:"classifications,omitempty"` // of the API's data
	Audiences       []string `json:"audiences,omitempty"`       // of the API
	Personal        bool     `json:"personal,omitempty"`        // only APIs with personal data
	Jurisdictions   []string `json:"jurisdictions,omitempty"`   // EU, US, …
	Clouds          []string `json:"clouds,omitempty"`          // aws, azure, gcp, on-prem, …
	Networks        []string `json:"networks,omitempty"`        // private or public
}

// A ChangeCheck demands that a revision breaks nothing that callers of the last
// published revision of the version rely on; what must break is a new version.
type ChangeCheck struct {
	// Levels of findings that fail the control: error (the default), warning.
	Levels []string `json:"levels,omitempty"`
	Ignore []string `json:"ignore,omitempty"` // ids of findings that are accepted
}

// A QuestionCheck is answered by a person for each API version.
type QuestionCheck struct {
	Text     string `json:"text"`               // the question: yes is what satisfies it
	Evidence bool   `json:"evidence,omitempty"` // a file must prove the answer
	// Confirm is a role; someone else who holds it confirms the answer.
	Confirm string `json:"confirm,omitempty"`
	// DependsOn names what the answer is about: definition, operations, policies,
	// backend, data, audience, access, path. Only a change of one of them asks again;
	// none: any change does.
	DependsOn []string `json:"dependsOn,omitempty"`
	// Lasts is for how long an answer holds; none: until something it depends on changes.
	Lasts jsonx.Duration `json:"lasts,omitempty"`
}

// Names of the checks a control may have, in the order they are told.
var CheckKinds = []string{"lint", "policy", "cel", "placement", "change", "question"}

// Kind is the name of the check, "" unless there is exactly one.
func (k *ControlCheck) Kind() string {
	kind, n := "", 0
	for i, is := range []bool{k.Lint != nil, k.Policy != nil, k.CEL != nil, k.Placement != nil, k.Change != nil, k.Question != nil} {
		if is {
			kind = CheckKinds[i]
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return kind
}

// File is the ruleset's file, if it is one beside the document.
func (l *LintCheck) File() (string, bool) {
	name, ok := l.Named()
	return name, ok && !builtInRuleset(name)
}

// Named is the ruleset's file or the name of a built-in one; false when the
// ruleset stands in the document.
func (l *LintCheck) Named() (string, bool) {
	var name string
	if len(l.Ruleset) == 0 || json.Unmarshal(l.Ruleset, &name) != nil {
		return "", false
	}
	return name, true
}
