package catalog

import (
	"context"
	"fmt"
	"strings"

	"gatehouse"
)

// Missing says what keeps a revision from running in an environment, all of
// it; "" when nothing does.
func (p *Plan) Missing(ctx context.Context, form *gatehouse.RevisionForm, env string) (string, error) {
	e := p.Environments[env]
	lacks, err := p.unresolved(ctx, form, env, e)
	if err != nil || form.Version.Backend == "" { // every operation is mocked, or it would not have been let in
		return strings.Join(lacks, "; "), err
	}
	ref := qualify(form.Version.Backend, form.Team)
	o, err := p.After(ctx, "Backend/"+ref)
	if err != nil {
		return "", err
	}
	if o == nil {
		return strings.Join(append(lacks, fmt.Sprintf("backend %q does not exist", ref)), "; "), nil
	}
	b, ok := o.Spec.(*gatehouse.Backend).Environments[env]
	if !ok || len(b.Targets) == 0 {
		lacks = append(lacks, fmt.Sprintf("backend %q has no targets in environment %q", ref, env))
	}
	for _, s := range strays(form.Team+"/"+form.Name, form.Data, ref, env, e, b) {
		lacks = append(lacks, s.text)
	}
	return strings.Join(lacks, "; "), nil
}
