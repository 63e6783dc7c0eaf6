// Package admission reads the conditions under which an on-boarding is let
// through without a person, and the words that whoever on-boards accepts.
//
// Both stand in a framework version. The package is pure: files are checked
// with it without a server, and the rooms of control decide with it.
package admission

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"gatehouse"
	"gatehouse/expr"
)

// An Environment is what a condition sees of an environment that is asked for.
type Environment struct {
	Name         string   `json:"name"`
	Stage        string   `json:"stage"`
	Jurisdiction string   `json:"jurisdiction"`
	Clouds       []string `json:"clouds"` // in which its gateways run
}

// A Request is what a condition sees of an on-boarding.
type Request struct {
	Team         string           `json:"team"`
	More         bool             `json:"more"` // the team is there and asks for more
	Asker        string           `json:"asker"`
	Members      []string         `json:"members"`
	Environments []Environment    `json:"environments"`
	Clouds       []string         `json:"clouds"`
	Data         []string         `json:"data"`
	CostCentre   string           `json:"costCentre"`
	Quotas       map[string]int64 `json:"quotas"` // apis, applications, requests; 0 where none is asked for
	Expires      string           `json:"expires"`
}

// Whole is the request with empty lists and zeros where something was left out,
// so that a condition may ask about all of it.
func (r Request) Whole() Request {
	r.Members, r.Clouds, r.Data = whole(r.Members), whole(r.Clouds), whole(r.Data)
	r.Environments = whole(r.Environments)
	for i := range r.Environments {
		r.Environments[i].Clouds = whole(r.Environments[i].Clouds)
	}
	quotas := map[string]int64{"apis": 0, "applications": 0, "requests": 0}
	maps.Copy(quotas, r.Quotas)
	r.Quotas = quotas
	return r
}

func whole[T any](list []T) []T { return append([]T{}, list...) }

var variables = expr.Vars{"request": expr.Object("request", map[string]*expr.Type{
	"team": expr.String, "more": expr.Bool, "asker": expr.String, "members": expr.List(expr.String),
	"environments": expr.List(expr.Object("environment", map[string]*expr.Type{
		"name": expr.String, "stage": expr.String, "jurisdiction": expr.String, "clouds": expr.List(expr.String),
	})),
	"clouds": expr.List(expr.String), "data": expr.List(expr.String), "costCentre": expr.String, "expires": expr.String,
	"quotas": expr.Object("quotas", map[string]*expr.Type{"apis": expr.Int, "applications": expr.Int, "requests": expr.Int}),
})}

var scope = sync.OnceValues(func() (*expr.Scope, error) { return expr.Declare(variables) })

func compile(rule string) (*expr.Program, error) {
	s, err := scope()
	if err != nil {
		return nil, err
	}
	return s.Compile(rule)
}

// A Fault is a condition that cannot be asked.
type Fault struct {
	Version, Rule int // indexes
	Detail        string
}

// Check reads all conditions of a framework.
func Check(f *gatehouse.Framework) (all []Fault) {
	for i, v := range f.Versions {
		if v.Onboarding == nil {
			continue
		}
		for j, rule := range v.Onboarding.AutoApprove {
			if _, err := compile(rule); err != nil {
				all = append(all, Fault{i, j, "is no condition over request: " + err.Error()})
			}
		}
	}
	return all
}

// Decide finds the first condition of the version that lets the request
// through; "" when none does. One that cannot be asked lets nothing through,
// and the error, which comes beside an answer, tells of it.
func Decide(v *gatehouse.FrameworkVersion, r Request) (rule string, err error) {
	if v == nil || v.Onboarding == nil || len(v.Onboarding.AutoApprove) == 0 {
		return "", nil
	}
	value, err := expr.Value(r.Whole())
	if err != nil {
		return "", err
	}
	var failed []error
	for _, rule := range v.Onboarding.AutoApprove {
		p, err := compile(rule)
		if err == nil {
			var yes bool
			if yes, err = p.Eval(map[string]any{"request": value}); yes {
				return rule, errors.Join(failed...)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("auto-approve rule of version %q: %w", v.Name, err))
		}
	}
	return "", errors.Join(failed...)
}
