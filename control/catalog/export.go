package catalog

import (
	"cmp"
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
	Most int // bytes of documents and definitions; 0: maxExport
	// Allow says which objects go out; nil: all.
	Allow func(ctx context.Context, o *gatehouse.Object) bool
}

// maxExport bounds the documents and definitions of one export, in bytes: what
// is applied at once has the same bound.
const maxExport = 512 << 20

// Export gives documents with the files they name, as [Catalog.Apply] takes
// them, what others refer to first. With a team, its own objects and the
// Team document.
func (c *Catalog) Export(ctx context.Context, s Scope) ([]*View, map[string][]byte, error) {
	var all []*View
	files, size, most := map[string][]byte{}, 0, cmp.Or(s.Most, maxExport)
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
				all, size = append(all, v), size+len(v.Text)
				n, err := c.gatherFiles(ctx, v, files)
				if err != nil {
					return nil, nil, err
				}
				if size += n; size > most {
					return nil, nil, gatehouse.E(gatehouse.Invalid, "exporting: it is more than %d MiB of documents and definitions; take it team by team, or kind by kind", most>>20)
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

// gatherFiles adds the files that a document names, and tells how many bytes
// were new.
func (c *Catalog) gatherFiles(ctx context.Context, v *View, files map[string][]byte) (size int, err error) {
	for _, sum := range v.Files {
		if _, ok := files[sum]; ok {
			continue
		}
		data, err := c.Blob(ctx, sum)
		if err != nil {
			return 0, err
		}
		files[sum] = data
		size += len(data)
	}
	return size, nil
}
