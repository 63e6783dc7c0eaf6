package release

import (
	"context"
	"strings"

	"gatehouse"
)

// placed refuses a revision that no gateway of the environment may have, and
// takes note of those that do not get it.
func (m *move) placed(ctx context.Context, rev *gatehouse.Revision) error {
	d := rev.Form.Data
	if d == nil || len(d.Jurisdictions) == 0 {
		return nil
	}
	found, err := m.p.Gateways(ctx, m.env)
	if err != nil {
		return err
	}
	var away []string
	for _, o := range found {
		if lies := o.Spec.(*gatehouse.Gateway).JurisdictionIn(m.rule); !gatehouse.MayPass(d.Jurisdictions, lies) {
			away = append(away, gatehouse.NotPlaced(m.ref.API(), d.Jurisdictions, o.Metadata.Name, lies))
		}
	}
	if len(away) > 0 && len(away) == len(found) {
		return gatehouse.E(gatehouse.Conflict, "no gateway of the environment may have it: %s", strings.Join(away[:min(len(away), 5)], "; "))
	}
	m.out.NotPlaced = away[:min(len(away), 100)]
	return nil
}
