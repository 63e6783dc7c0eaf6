package catalog

import (
	"gatehouse"
	"gatehouse/admission"
	"gatehouse/jsonx"
)

// rules reports conditions of a framework that cannot be asked.
func (p *plan) rules(o *gatehouse.Object) {
	s, ok := o.Spec.(*gatehouse.Framework)
	if !ok {
		return
	}
	for _, f := range admission.Check(s) {
		p.fault(o.Ref(), jsonx.Pointer("spec", "versions", itoa(f.Version), "onboarding", "autoApprove", itoa(f.Rule)), f.Detail)
	}
}
