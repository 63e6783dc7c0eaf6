package gatehouse

import "time"

// BuiltInRoles are roles that are there without a document, and that no
// document may redefine. What each may do is for package access.
var BuiltInRoles = []string{"admin", "provider", "compliance", "developer", "approver", "consumer", "viewer", "auditor"}

// A Role is a named list of permissions. Built-in roles need no
// document.
type Role struct {
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Permissions are actions of the route table, "api.put"; "api.*" is all
	// on APIs, "*" everything, "*.get" all reading.
	Permissions []string `json:"permissions"`
}

// A RoleAssignment gives a subject a role within a scope. There may be a
// million of them.
type RoleAssignment struct {
	// Subject: "user:alice@example.com", "group:payments-devs", "service:ci".
	Subject string `json:"subject"`
	Role    string `json:"role"`
	// Scope: "organization", "team/payments", "environment/prod", or one
	// object: "API/payments/orders", "Framework/corporate".
	Scope string `json:"scope"`
	// Expires ends it at the end of a day, 2027-06-30, UTC, or at an RFC 3339 time.
	Expires string `json:"expires,omitempty"`
	Reason  string `json:"reason,omitempty"` // why, for the record
}

// A Token proves a user or service account to the management API. The store
// keeps its hash only, under "Token/<id>".
type Token struct {
	ID        string    `json:"id"`   // public, to list and revoke by
	Hash      string    `json:"hash"` // SHA-256, base64url
	Subject   string    `json:"subject"`
	Name      string    `json:"name,omitempty"`
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"createdBy"`
	// Makers are whoever made the proof that this one was made with, and the one
	// before it, back to the first.
	Makers  []string  `json:"makers,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Check reports what is wrong with the role alone.
func (s *Role) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	if len(s.Permissions) == 0 {
		c.At("permissions").Errorf("is empty: a role permits something, such as \"api.get\"")
	}
	unique(c.At("permissions"), s.Permissions, "", same)
	for i, p := range s.Permissions {
		if !actionForm.MatchString(p) {
			c.At("permissions").At(i).Errorf("%q is not a permission: an action such as \"api.put\", \"api.*\", \"*.get\" or \"*\"", p)
		}
	}
}

// Check reports what is wrong with the assignment alone.
func (s *RoleAssignment) Check(c *Checker) {
	if s.Subject == "" {
		c.Errorf("subject is missing: who gets the role, such as \"user:alice@example.com\"")
	} else {
		c.At("subject").Subject(s.Subject)
	}
	if s.Role == "" {
		c.Errorf("role is missing")
	} else {
		c.At("role").Name(s.Role)
	}
	if s.Scope == "" {
		c.Errorf("scope is missing: \"organization\", \"team/payments\", \"environment/prod\" or one object")
	} else {
		c.At("scope").Scope(s.Scope)
	}
	if s.Expires != "" {
		c.At("expires").Moment(s.Expires)
	}
	c.text("reason", s.Reason, 2000)
}
