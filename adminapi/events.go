package adminapi

import (
	"slices"
	"strings"
)

// quietEvents are types of events that no route of the table is named after:
// what the control plane does by itself, or as part of something else.
var quietEvents = []string{
	"access.cross-origin", "access.strangers", "api.deprecate", "approval.create", "attestation.revoke", "decision.create", "framework.adopt", "framework.expire", "framework.supersede", "framework.warn",
	"gate.fail", "gate.inaugurate", "gate.notice", "gate.pass", "gate.reject", "gate.warn", "onboarding.defer", "release.canary", "release.due",
	"release.override", "release.schedule", "release.skip", "release.step", "release.vote", "release.wait", "waiver.expire", "waiver.warn",
	"gateway.join", "gateway.renew", "gateway.revoke", "installation.create",
	"key.expire", "login-code.delete", "session.delete", "token.delete",
	"notification.dead", "release.request", "subscription.expire", "support.escalate",
}

// EventTypes are all types of events there are, sorted: the actions of routes
// that change something, or may be refused, and what happens by itself.
func EventTypes() []string {
	all := slices.Clone(quietEvents)
	for _, r := range Routes {
		all = append(all, r.Describe().Action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SelectsEvents reports whether a pattern, "release.*", "*.approve" or "*",
// selects a type of event.
func SelectsEvents(pattern, event string) bool {
	noun, verb, _ := strings.Cut(pattern, ".")
	n, v, _ := strings.Cut(event, ".")
	if noun == "*" && (verb == "" || verb == "*") || pattern == event {
		return true
	}
	return verb != "" && (noun == "*" || noun == n) && (verb == "*" || verb == v) && v != ""
}

// ReadsOnly reports whether all that an event of the type can tell is that a
// request to read was refused.
func ReadsOnly(event string) bool {
	reads := false
	for _, r := range Routes {
		if o := r.Describe(); o.Action == event {
			if o.Changes() {
				return false
			}
			reads = true
		}
	}
	return reads && !slices.Contains(quietEvents, event)
}
