package catalog

import (
	"context"
	"slices"
	"time"

	"gatehouse"
)

// A Scope narrows an export; the zero value takes everything.
type Scope struct {
	Team string
	Kind gatehouse.Kind
	AsOf time.Time
	// Allow says which objects go out; nil: all.
	Allow func(ctx context.Context, o *gatehouse.Object) bool
}

// Export gives documents with the files they name, as [Catalog.Apply] takes
// them, what others refer to first. With a team, its own objects and the
// Team document.
func (c *Catalog) Export(ctx context.Context, s Scope) ([]*View, map[string][]byte, error) {
	var all []*View
	files := map[string][]byte{}
	for _, k := range gatehouse.Kinds {
		if s.Kind != "" && k.Kind != s.Kind || s.Team != "" && !k.Owned && k.Kind != gatehouse.KindTeam {
			continue
		}
		f := Filter{Kind: k.Kind, AsOf: s.AsOf, Limit: batchOfKeys, Allow: s.Allow}
		if s.Team != "" {
			if f.Team = s.Team; !k.Owned {
				f.Team, f.Where = "", map[string]string{"name": s.Team}
			}
		}
		for {
			page, err := c.List(ctx, f)
			if err != nil {
				return nil, nil, err
			}
			for _, v := range page.Items {
				if v, err = bare(v); err != nil {
					return nil, nil, err
				}
				all = append(all, v)
				if err := c.gatherFiles(ctx, v, files); err != nil {
					return nil, nil, err
				}
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
	}
	return all, files, nil
}

// bare is a document as another installation takes it: where a framework's
// versions stand is on record here, and begins anew there.
func bare(v *View) (*View, error) {
	spec, ok := v.Object.Spec.(*gatehouse.Framework)
	if !ok || !slices.ContainsFunc(spec.Versions, func(v gatehouse.FrameworkVersion) bool { return v.State != "" }) {
		return v, nil
	}
	out, o, copied := *v, *v.Object, *spec
	copied.Versions = slices.Clone(spec.Versions)
	for i := range copied.Versions {
		copied.Versions[i].State = ""
	}
	o.Spec, out.Object = &copied, &o
	var err error
	out.Text, err = o.Canonical()
	return &out, err
}

func (c *Catalog) gatherFiles(ctx context.Context, v *View, files map[string][]byte) error {
	for _, sum := range v.Files {
		if _, ok := files[sum]; ok {
			continue
		}
		data, err := c.Blob(ctx, sum)
		if err != nil {
			return err
		}
		files[sum] = data
	}
	return nil
}
