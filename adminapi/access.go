package adminapi

import (
	"time"

	"gatehouse"
)

// The routes of who is there and what they may do. Where a route names no
// object, its handler asks: one's own tokens and questions about oneself need
// no permission, those of others do.
var (
	Whoami = Route[Empty, WhoamiAnswer]{Operation{
		ID: "whoami", Pattern: "GET /v1/whoami", Action: "access.whoami", On: "organization",
		Doc: "Tell who the caller is and what they were given",
	}}
	ListTokens = Route[ListTokensRequest, Tokens]{Operation{
		ID: "listTokens", Pattern: "GET /v1/tokens", Action: "token.list",
		Doc: "List tokens, never the tokens themselves\n\nOne's own, unless another subject is named, or - for all.",
	}}
	CreateToken = Route[CreateTokenRequest, NewToken]{Operation{
		ID: "createToken", Pattern: "POST /v1/tokens", Action: "token.create", Status: 201, Secret: true,
		Doc: "Create a token, shown this once\n\nFor oneself, or for another user or service account by one who holds all that they hold.",
	}}
	RevokeToken = Route[TokenRef, Empty]{Operation{
		ID: "revokeToken", Pattern: "DELETE /v1/tokens/{token}", Action: "token.revoke", Status: 204,
		Doc: "End a token at once",
	}}
	ListSessions = Route[ListTokensRequest, Tokens]{Operation{
		ID: "listSessions", Pattern: "GET /v1/sessions", Action: "session.list",
		Doc: "List sessions of the console\n\nOne's own, unless another subject is named, or - for all.",
	}}
	RevokeSession = Route[SessionRef, Empty]{Operation{
		ID: "revokeSession", Pattern: "DELETE /v1/sessions/{session}", Action: "session.revoke", Status: 204,
		Doc: "End a session at once",
	}}
	CreateLoginCode = Route[LoginCodeRequest, LoginCode]{Operation{
		ID: "createLoginCode", Pattern: "POST /v1/login-codes", Action: "login-code.create", Status: 201, Secret: true,
		Doc: "Create a code that opens one session of the console\n\nIt works once, within ten minutes.",
	}}
	Login = Route[LoginRequest, LoginAnswer]{Operation{
		ID: "login", Pattern: "POST /v1/login", Action: "session.create", Public: true, Secret: true,
		Doc: "Open a session with a login code\n\nThe session travels in a cookie that scripts cannot read.",
	}}
	Logout = Route[Empty, LogoutAnswer]{Operation{
		ID: "logout", Pattern: "POST /v1/logout", Action: "session.revoke", Status: 204,
		Doc: "End the caller's session",
	}}

	ListBuiltInRoles = Route[Empty, Objects]{Operation{
		ID: "listBuiltInRoles", Pattern: "GET /v1/built-in-roles", Action: "role.list", On: "organization",
		Doc:   "List the roles that every installation has\n\nEach is a document of kind Role whose status says builtIn. Nobody changes them; roles of one's own are at /v1/roles.",
		Bound: "what this version of the program has",
	}}

	AccessCan = Route[AccessRequest, CanAnswer]{Operation{
		ID: "accessCan", Pattern: "GET /v1/access/can", Action: "access.can",
		Doc: "Tell whether a subject may do an action on an object",
	}}
	AccessWhy = Route[AccessRequest, WhyAnswer]{Operation{
		ID: "accessWhy", Pattern: "GET /v1/access/why", Action: "access.why",
		Doc: "Explain why a subject may or may not do an action on an object\n\nEach assignment that was considered is listed with what it came to; where the answer is no, with what would do.",
	}}
	AccessWho = Route[WhoRequest, WhoAnswer]{Operation{
		ID: "accessWho", Pattern: "GET /v1/access/who", Action: "access.who",
		Doc: "List who may do an action on an object, and why",
	}}
)

// Requests about access.
type (
	ListTokensRequest struct {
		Subject string `query:"subject" doc:"Whose, such as user:alice@example.com; - for everyone's."`
		Paged
	}
	CreateTokenRequest struct {
		Body struct {
			Subject string `json:"subject,omitempty" doc:"For whom; default the caller."`
			Name    string `json:"name,omitempty" maxLength:"200" doc:"What it is for."`
			Life    string `json:"life,omitempty" doc:"How long it lasts, such as 30d; default 90d, at most 366d."`
		}
	}
	TokenRef struct {
		Token string `path:"token" doc:"The token's public id."`
	}
	SessionRef struct {
		Session string `path:"session" doc:"The session's public id."`
	}
	LoginCodeRequest struct {
		Body struct {
			Subject string `json:"subject,omitempty" doc:"For whom; default the caller."`
		}
	}
	LoginRequest struct {
		Body struct {
			Code string `json:"code" maxLength:"100"`
		}
	}
	AccessRequest struct {
		Subject string `query:"subject" doc:"Who, such as user:alice@example.com; default the caller."`
		Action  string `query:"action" required:"true" doc:"An action of the route table, such as api.put."`
		On      string `query:"on" doc:"API/payments/orders, team/payments, environment/prod; default organization."`
		AsOf    string `query:"asOf" doc:"A past moment, RFC 3339."`
	}
	WhoRequest struct {
		Action string `query:"action" required:"true" doc:"An action of the route table, such as api.put."`
		On     string `query:"on" doc:"API/payments/orders, team/payments, environment/prod; default organization."`
		AsOf   string `query:"asOf" doc:"A past moment, RFC 3339."`
		After  string `query:"after" doc:"The subject that the page before ended with."`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
	}
)

// Answers about access.
type (
	WhoamiAnswer struct {
		Body struct {
			Subject        string       `json:"subject"`
			Authentication string       `json:"authentication" doc:"How it was proved: token:ID or session:ID."`
			Groups         []string     `json:"groups,omitempty"`
			Assignments    []Assignment `json:"assignments"`
		}
	}
	// TokenItem is a token, session or login code without its secret.
	TokenItem struct {
		ID        string    `json:"id"`
		Subject   string    `json:"subject"`
		Name      string    `json:"name,omitempty"`
		State     string    `json:"state"` // live, expired or revoked
		Created   time.Time `json:"created"`
		CreatedBy string    `json:"createdBy"`
		Expires   time.Time `json:"expires,omitzero"`
		Revoked   time.Time `json:"revoked,omitzero"`
	}
	Tokens struct {
		Body struct {
			Items []TokenItem `json:"items"`
			Next  string      `json:"next,omitempty"`
		}
	}
	NewToken struct {
		Body struct {
			TokenItem
			Token string `json:"token"`
		}
	}
	LoginCode struct {
		Body struct {
			ID      string    `json:"id"`
			Subject string    `json:"subject"`
			Code    string    `json:"code"`
			Expires time.Time `json:"expires"`
		}
	}
	LoginAnswer struct {
		SetCookie string `header:"Set-Cookie"`
		Body      struct {
			ID      string    `json:"id"`
			Subject string    `json:"subject"`
			Expires time.Time `json:"expires"`
		}
	}
	LogoutAnswer struct {
		SetCookie string `header:"Set-Cookie"`
	}

	// An Assignment is one reason for a permission.
	Assignment struct {
		Name    string    `json:"name,omitempty"` // of the RoleAssignment
		Subject string    `json:"subject"`
		Role    string    `json:"role"`
		Scope   string    `json:"scope"`
		Expires time.Time `json:"expires,omitzero"`
		Implied string    `json:"implied,omitempty"` // where no RoleAssignment says it
	}
	CanAnswer struct {
		Body struct {
			Allowed bool        `json:"allowed"`
			Because *Assignment `json:"because,omitempty"`
		}
	}
	// ConsideredAssignment is an assignment and what it came to: allows,
	// expired, elsewhere, lacks or neither.
	ConsideredAssignment struct {
		Assignment
		Via     []string `json:"via,omitempty" doc:"Groups from the subject to the one the assignment is for."`
		Verdict string   `json:"verdict"`
		Detail  string   `json:"detail"`
	}
	WhyAnswer struct {
		Body struct {
			Subject    string                 `json:"subject"`
			Action     string                 `json:"action"`
			On         string                 `json:"on"`
			Allowed    bool                   `json:"allowed"`
			Because    *Assignment            `json:"because,omitempty"`
			Reason     string                 `json:"reason"`
			Scopes     []string               `json:"scopes" doc:"Scopes that enclose the object, the narrowest first."`
			Groups     []string               `json:"groups,omitempty"`
			Considered []ConsideredAssignment `json:"considered,omitempty"`
			More       int                    `json:"more,omitempty" doc:"How many considered were left out."`
			Remedies   []string               `json:"remedies,omitempty"`
		}
	}
	Holder struct {
		Subject string     `json:"subject"`
		Because Assignment `json:"because"`
		Via     []string   `json:"via,omitempty"`
	}
	WhoAnswer struct {
		Body struct {
			Items    []Holder `json:"items"`
			Total    int      `json:"total"`
			Next     string   `json:"next,omitempty"`
			Everyone bool     `json:"everyone,omitempty" doc:"Whoever is signed in may; the items also have it by assignment."`
			Audience string   `json:"audience,omitempty" doc:"Whoever is of this audience may find it; the items also have it by assignment."`
		}
	}
)

// TokenItemOf is a token as lists show it at a moment.
func TokenItemOf(t gatehouse.Token, now time.Time) TokenItem {
	state := "live"
	switch {
	case !t.Revoked.IsZero():
		state = "revoked"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		state = "expired"
	}
	return TokenItem{ID: t.ID, Subject: t.Subject, Name: t.Name, State: state, Created: t.Created, CreatedBy: t.CreatedBy,
		Expires: t.Expires, Revoked: t.Revoked}
}
