// Package all is the ordered list of every kind of policy there is.
//
// A policy is a value in this list, not a side effect of an import: what is not
// here does not exist, for either wing. The order is that of the manual.
package all

import (
	"gatehouse/policy"
	"gatehouse/policy/apikey"
	"gatehouse/policy/bodylimit"
	"gatehouse/policy/cors"
	"gatehouse/policy/headers"
	"gatehouse/policy/ipfilter"
	"gatehouse/policy/jwt"
	"gatehouse/policy/mock"
	"gatehouse/policy/quota"
	"gatehouse/policy/ratelimit"
	"gatehouse/policy/rewrite"
	"gatehouse/policy/timeout"
)

// Kinds are all kinds of policy, in the order of the manual.
var Kinds = []policy.Kind{
	apikey.Kind,
	jwt.Kind,
	ratelimit.Kind,
	quota.Kind,
	cors.Kind,
	ipfilter.Kind,
	headers.Kind,
	rewrite.Kind,
	bodylimit.Kind,
	timeout.Kind,
	mock.Kind,
}

var byName = func() map[string]policy.Kind {
	m := make(map[string]policy.Kind, len(Kinds))
	for _, k := range Kinds {
		m[k.Name] = k
	}
	return m
}()

// Find returns the kind with the name that files use, such as "rate-limit".
func Find(name string) (policy.Kind, bool) {
	k, ok := byName[name]
	return k, ok
}

// Names are the names of all kinds, in the order of the manual.
func Names() []string {
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		names[i] = k.Name
	}
	return names
}
