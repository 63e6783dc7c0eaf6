package gatehouse

import (
	"fmt"
	"slices"
	"strings"
)

// JurisdictionIn is where the gateway lies, as its location or else its
// environment says; "" when neither does.
func (s *Gateway) JurisdictionIn(env *Environment) string {
	if s.Location != nil && s.Location.Jurisdiction != "" {
		return s.Location.Jurisdiction
	}
	if env != nil {
		return env.Jurisdiction
	}
	return ""
}

// MayPass tells whether data bound to jurisdictions may pass a gateway that lies
// in one of its own. Nothing bound passes everywhere; where a gateway lies that
// nobody has said is elsewhere.
func MayPass(bound []string, jurisdiction string) bool {
	return len(bound) == 0 || jurisdiction != "" && slices.ContainsFunc(bound, func(b string) bool { return strings.EqualFold(b, jurisdiction) })
}

// NotPlaced says why an API, "payments/orders", is not put on a gateway.
func NotPlaced(api string, bound []string, gateway, jurisdiction string) string {
	where := "gateway lies in " + jurisdiction
	if jurisdiction == "" {
		where = fmt.Sprintf("and where the gateway lies is not said: set location.jurisdiction of Gateway %s, or jurisdiction of its environment", gateway)
	}
	return fmt.Sprintf("not placed on gateway %s: data may not leave %s (API %s data.jurisdictions), %s", gateway, strings.Join(bound, ", "), api, where)
}
