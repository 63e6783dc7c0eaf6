package access

import (
	"strings"

	"gatehouse"
)

// Organization is the scope that encloses everything.
const Organization = "organization"

// MaxTeamDepth bounds how many teams above a team are looked at. Parents that
// form a ring, which no check lets in, end here and not never.
const MaxTeamDepth = 32

// ParseScope reads the scope of a RoleAssignment: "organization",
// "team/payments", "environment/prod", "API/payments/orders" or
// "Framework/corporate". The On is what the scope is about.
func ParseScope(scope string) (On, error) {
	kind, rest, _ := strings.Cut(scope, "/")
	switch {
	case scope == Organization:
		return On{}, nil
	case rest == "":
	case kind == "team" && !strings.Contains(rest, "/"):
		return On{Team: rest}, nil
	case kind == "environment" && !strings.Contains(rest, "/"):
		return On{Environment: rest}, nil
	default:
		for _, k := range gatehouse.Kinds {
			if string(k.Kind) != kind {
				continue
			}
			team, name, slash := strings.Cut(rest, "/")
			switch {
			case k.Owned && slash && team != "" && name != "" && !strings.Contains(name, "/"):
				return On{Kind: k.Kind, Team: team, Name: name}, nil
			case !k.Owned && !slash:
				return On{Kind: k.Kind, Name: rest}, nil
			}
		}
	}
	return On{}, gatehouse.E(gatehouse.Invalid,
		`%q is not a scope: "organization", "team/NAME", "environment/NAME", "KIND/TEAM/NAME" or "KIND/NAME"`, scope)
}

// ParseSubject splits "user:alice@example.com", "group:payments-devs" or
// "service:ci" into its kind and name.
func ParseSubject(subject string) (kind gatehouse.Kind, name string, err error) {
	prefix, name, _ := strings.Cut(subject, ":")
	if name != "" && !strings.ContainsAny(name, ":/ \t\r\n") {
		switch prefix {
		case "user":
			return gatehouse.KindUser, name, nil
		case "group":
			return gatehouse.KindGroup, name, nil
		case "service":
			return gatehouse.KindServiceAccount, name, nil
		}
	}
	return "", "", gatehouse.E(gatehouse.Invalid, `%q is not a subject: "user:NAME", "group:NAME" or "service:NAME"`, subject)
}

// enclosing appends to out the scopes that enclose on, the narrowest first.
func (x *Index) enclosing(on On, out []string) []string {
	out = x.inner(on, out)
	for _, w := range on.Within {
		if in, err := ParseScope(w); err == nil {
			out = x.inner(in, out)
		}
	}
	return append(out, Organization)
}

func (x *Index) inner(on On, out []string) []string {
	team, environment := on.Team, on.Environment
	if on.Kind != "" && on.Name != "" {
		out = append(out, gatehouse.Key(on.Kind, on.Team, on.Name))
		switch on.Kind {
		case gatehouse.KindTeam:
			team = on.Name
		case gatehouse.KindEnvironment:
			environment = on.Name
		}
	}
	for depth := 0; team != "" && depth <= MaxTeamDepth; depth++ {
		out = append(out, "team/"+team)
		team = x.teams[team].parent
	}
	if environment != "" {
		out = append(out, "environment/"+environment)
	}
	return out
}

// ParseOn reads what a route says it is on, "API/payments/orders",
// "team/payments", "Token/tok_1" or "organization"; unlike a scope it may be a
// record that is no document.
func ParseOn(text string) On {
	if on, err := ParseScope(text); err == nil {
		return on
	}
	kind, rest, _ := strings.Cut(text, "/")
	if team, name, ok := strings.Cut(rest, "/"); ok {
		return On{Kind: gatehouse.Kind(kind), Team: team, Name: name}
	}
	return On{Kind: gatehouse.Kind(kind), Name: rest}
}
