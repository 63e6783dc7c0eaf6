package catalog

import (
	"fmt"
	"slices"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/bundle"
)

// events reports selections of events that select none: a type that does not
// exist would never be heard of.
func (p *Plan) events(o *gatehouse.Object) {
	known := p.c.EventTypes
	if len(known) == 0 {
		return
	}
	check := func(list []string, pointer string) {
		for i, pattern := range list {
			if !slices.ContainsFunc(known, func(event string) bool { return adminapi.SelectsEvents(pattern, event) }) {
				p.Fault(o.Ref(), pointer+"/"+itoa(i), fmt.Sprintf("%q selects no type of event there is%s; \"gatehouse notify types\" lists them", pattern, bundle.Choose(pattern, known)))
			}
		}
	}
	switch s := o.Spec.(type) {
	case *gatehouse.Webhook:
		check(s.Events, "/spec/events")
	case *gatehouse.Team:
		for i := range s.Notify {
			check(s.Notify[i].Events, "/spec/notify/"+itoa(i)+"/events")
		}
	}
}
