package catalog

import (
	"maps"
	"slices"
	"strconv"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/store"
)

func itoa(i int) string { return strconv.Itoa(i) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Indexes are the entries by which lists of objects are filtered. Kinds of
// which there may be a million, assignments and subscriptions, are found by
// their own fields and status (nil for other kinds); others by "ref:" and the key of what they name.
func Indexes(o *gatehouse.Object, set string, status *gatehouse.SubscriptionStatus) map[string]string {
	ix := map[string]string{"team": o.Metadata.Team, "name": o.Metadata.Name, "set": set}
	for k, v := range o.Metadata.Labels {
		ix["label:"+k] = v
	}
	switch s := o.Spec.(type) {
	case *gatehouse.Subscription:
		ix["application"] = qualify(s.Application, o.Metadata.Team)
		ix["product"] = qualify(s.Product, o.Metadata.Team)
		ix["plan"], ix["environment"] = s.Plan, s.Environment
		if status != nil {
			if ix["state"] = status.State; !status.Over() && !status.Expires.IsZero() {
				ix["ends"] = store.Moment(status.Expires)
			}
		}
		return ix
	case *gatehouse.RoleAssignment:
		ix["subject"], ix["role"], ix["scope"] = s.Subject, s.Role, s.Scope
		return ix
	case *gatehouse.API:
		ix["framework"], ix["audience"] = s.Framework, s.Audience
	case *gatehouse.Team:
		if s.Provider {
			ix["provider"] = "1"
		}
	case *gatehouse.Gateway:
		ix["environment"] = s.Environment
	case *gatehouse.Environment:
		ix["stage"] = s.Stage
	case *gatehouse.Product:
		ix["audience"] = s.Audience
	}
	for _, r := range bundle.References(o) {
		if r.Kind != gatehouse.KindTeam || o.Metadata.Team == "" {
			ix["ref:"+r.Key()] = "1"
		}
	}
	return ix
}

func qualify(ref, team string) string {
	t, n := gatehouse.ParseRef(ref, team)
	return t + "/" + n
}

// referrers are the lists that together hold every object that names the one
// at (kind, team, name).
func referrers(kind gatehouse.Kind, team, name string) []store.Query {
	ref := gatehouse.Metadata{Team: team, Name: name}.Ref()
	by := func(kind gatehouse.Kind, index, value string) store.Query {
		return store.Query{Kind: string(kind), Where: map[string]string{index: value}}
	}
	named := func(kinds ...gatehouse.Kind) (qs []store.Query) {
		for _, k := range kinds {
			qs = append(qs, by(k, "ref:"+gatehouse.Key(kind, team, name), "1"))
		}
		return qs
	}
	scoped := by(gatehouse.KindRoleAssignment, "scope", string(kind)+"/"+ref)
	switch kind {
	case gatehouse.KindTeam:
		qs := named(gatehouse.KindTeam, gatehouse.KindServiceAccount, gatehouse.KindFramework)
		for _, k := range gatehouse.Kinds {
			if k.Owned {
				qs = append(qs, by(k.Kind, "team", name))
			}
		}
		return append(qs, by(gatehouse.KindRoleAssignment, "scope", "team/"+name), scoped)
	case gatehouse.KindRole:
		return []store.Query{by(gatehouse.KindRoleAssignment, "role", name), scoped}
	case gatehouse.KindEnvironment:
		return append(named(gatehouse.KindEnvironment, gatehouse.KindGateway, gatehouse.KindBackend, gatehouse.KindTeam),
			by(gatehouse.KindSubscription, "environment", name), by(gatehouse.KindRoleAssignment, "scope", "environment/"+name), scoped)
	case gatehouse.KindFramework, gatehouse.KindBackend:
		return append(named(gatehouse.KindAPI), scoped)
	case gatehouse.KindPolicySet:
		return append(named(gatehouse.KindAPI, gatehouse.KindProduct, gatehouse.KindEnvironment, gatehouse.KindFramework), scoped)
	case gatehouse.KindAPI:
		return append(named(gatehouse.KindProduct), scoped)
	case gatehouse.KindProduct:
		return []store.Query{by(gatehouse.KindSubscription, "product", ref), scoped}
	case gatehouse.KindApplication:
		return []store.Query{by(gatehouse.KindSubscription, "application", ref), scoped}
	}
	return []store.Query{scoped}
}
