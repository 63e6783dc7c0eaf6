package ratelimit

import (
	"fmt"
	"strings"

	"gatehouse/policy"
)

// MaxRequests is the largest budget: what a window's counter holds (gateway/limit).
const MaxRequests = 1e12

// Scopes of a budget.
const (
	ScopeGateway     = "gateway"
	ScopeEnvironment = "environment"
)

// What one caller is.
const (
	BySubscription = "subscription"
	ByApplication  = "application"
	ByAddress      = "address"
	ByAPI          = "api"
	byHeader       = "header:"
	byClaim        = "claim:"
)

// CheckRequests reports a budget that is not between 1 and MaxRequests.
func CheckRequests(n int64) error {
	if n < 1 || n > MaxRequests {
		return fmt.Errorf("requests: %d is not between 1 and %d", n, int64(MaxRequests))
	}
	return nil
}

// CheckScope reports what is no scope; "" is the default's.
func CheckScope(scope string) error {
	switch scope {
	case "", ScopeGateway, ScopeEnvironment:
		return nil
	}
	return fmt.Errorf(`scope: %q is not "gateway" or "environment"`, scope)
}

// CheckBy reports what cannot be counted by; "" is subscription.
func CheckBy(by string) error {
	switch by {
	case "", BySubscription, ByApplication, ByAddress, ByAPI:
		return nil
	}
	if name, ok := strings.CutPrefix(by, byHeader); ok && len(name) <= 100 && policy.IsToken(name) {
		return nil
	}
	if name, ok := strings.CutPrefix(by, byClaim); ok && name != "" && len(name) <= 100 {
		return nil
	}
	return fmt.Errorf(`by: %q is not "subscription", "application", "address", "header:NAME", "claim:NAME" or "api"`, by)
}
