// Package access knows who may do what, and why.
//
// Identity is users, service accounts and groups (documents of those kinds),
// proved by tokens and sessions whose secrets are shown once and kept as
// hashes. Permission is roles, assigned to subjects within scopes. A [Guard]
// keeps an [Index] of all of it in memory, follows the store's line of changes
// and answers in microseconds: may this subject do that ([Guard.Can]), why
// ([Guard.Why]), who else ([Guard.Who]), and as of when ([Guard.At]).
//
// The rule is one: an action on an object is allowed if some assignment of the
// subject, or of a group the subject is in directly or through other groups,
// is not expired, has a role that permits the action, and covers one of the
// scopes that enclose the object. Everything else is refused. Three things add to
// the written ones: members of a team hold the role viewer on that team, whoever
// is signed in holds [Everyone], and products and APIs are found by the audience
// they are meant for ([Found]): internal by who holds any role in a team of the
// house, partner also by who holds one in a team of partners, public by whoever
// is signed in.
//
// Nobody hands on more than they hold: [Guard.CheckWrites] refuses documents
// by which the writer would widen somebody's rights, their own included,
// beyond the writer's.
//
// The package decides; it does not enforce. Package server asks it before each
// operation and records what it refused; package catalog stores the documents.
package access

import (
	"time"

	"gatehouse"
)

// An Assignment is one reason for a permission, as answers give it.
type Assignment struct {
	// Name of the RoleAssignment; "" when implied by team membership or by
	// being signed in.
	Name    string `json:"name,omitempty"`
	Subject string `json:"subject"`
	Role    string `json:"role"`
	Scope   string `json:"scope"`
	// Expires is when it ends, UTC; zero: it stays.
	Expires time.Time `json:"expires,omitzero"`
	// Implied says what stands for a missing name: "member of team payments",
	// "signed in".
	Implied string `json:"implied,omitempty"`
}

// A Decision is the answer to one question.
type Decision struct {
	Allowed bool
	// Because is the assignment that allowed it; zero when refused.
	Because Assignment
}

// On is what an action is about: an object, a team or environment within which
// something is made or listed, or, when zero, the organization.
type On struct {
	Kind        gatehouse.Kind `json:"kind,omitempty"`
	Team        string         `json:"team,omitempty"`
	Name        string         `json:"name,omitempty"`
	Environment string         `json:"environment,omitempty"`
	// Audience that may find the object; "" where it is not for being found, or
	// was not looked at. See [Found].
	Audience string `json:"audience,omitempty"`
	// Within are further scopes that enclose it, written as in a
	// RoleAssignment: an assignment lies within the scope it assigns.
	Within []string `json:"within,omitempty"`
}

// OnObject is the On of a document: beside its own team, a gateway and a
// subscription lie within their environment, a service account within the team
// that answers for it, and a role assignment within its scope.
func OnObject(o *gatehouse.Object) On {
	on := On{Kind: o.Kind, Team: o.Metadata.Team, Name: o.Metadata.Name}
	switch s := o.Spec.(type) {
	case *gatehouse.Gateway:
		on.Environment = s.Environment
	case *gatehouse.Subscription:
		on.Environment = s.Environment
	case *gatehouse.ServiceAccount:
		if s.Team != "" {
			on.Within = []string{"team/" + s.Team}
		}
	case *gatehouse.RoleAssignment:
		if s.Scope != "" && s.Scope != Organization {
			on.Within = []string{s.Scope}
		}
	}
	return on
}

// String names it as people do: "API payments/orders", "team payments",
// "environment prod", "the organization".
func (on On) String() string {
	m := gatehouse.Metadata{Team: on.Team, Name: on.Name}
	switch {
	case on.Kind != "" && on.Name != "":
		return string(on.Kind) + " " + m.Ref()
	case on.Team != "":
		return "team " + on.Team
	case on.Environment != "":
		return "environment " + on.Environment
	}
	return "the organization"
}
