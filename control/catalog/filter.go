package catalog

import (
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/bundle"
)

// Fields are what lists of a kind filter and sort by, besides labels.
func Fields(k gatehouse.Kind) []string {
	all := []string{"name", "set", "team"}
	switch k {
	case gatehouse.KindSubscription:
		all = append(all, "application", "environment", "plan", "product", "state")
	case gatehouse.KindRoleAssignment:
		all = append(all, "role", "scope", "subject")
	case gatehouse.KindAPI:
		all = append(all, "audience", "framework")
	case gatehouse.KindProduct:
		all = append(all, "audience")
	case gatehouse.KindGateway:
		all = append(all, "environment")
	case gatehouse.KindEnvironment:
		all = append(all, "stage")
	}
	slices.Sort(all)
	return all
}

// ParseFilter reads conditions joined by commas, "state=approved,label:domain=commerce".
func ParseFilter(k gatehouse.Kind, text string) (map[string]string, error) {
	where := map[string]string{}
	if text == "" {
		return where, nil
	}
	for one := range strings.SplitSeq(text, ",") {
		field, value, ok := strings.Cut(one, "=")
		field = strings.TrimSpace(field)
		if !ok || !strings.HasPrefix(field, "label:") && !slices.Contains(Fields(k), field) {
			return nil, gatehouse.E(gatehouse.Invalid, "filter: %q is not a condition such as \"name=orders\"; a list of %s is filtered by %s and label:KEY",
				one, bundle.Noun(k), strings.Join(Fields(k), ", "))
		}
		where[field] = strings.TrimSpace(value)
	}
	return where, nil
}

// ParseSort reads a field to sort by; a leading "-" turns the order round.
func ParseSort(k gatehouse.Kind, text string) (field string, desc bool, err error) {
	field, desc = strings.CutPrefix(text, "-")
	if field != "" && !slices.Contains(Fields(k), field) {
		return "", false, gatehouse.E(gatehouse.Invalid, "sort: %q is not a field to sort by: %s", text, strings.Join(Fields(k), ", "))
	}
	return field, desc, nil
}
