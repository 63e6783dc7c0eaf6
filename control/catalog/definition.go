package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/definition"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A reading is what a definition says, or what is wrong with it.
type reading struct {
	operations []gatehouse.Operation
	hash       string // of the operations
	err        error
}

// Readings are definitions read for one request. Reading takes most of the
// time of a large apply and needs no lock: it is done before, on all cores.
type readings struct {
	mu   sync.Mutex
	done map[string]*reading
}

// readKey identifies a definition by its main file and all files it may name.
func readKey(main string, files map[string]string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", path.Clean(main))
	for _, p := range sorted(files) {
		fmt.Fprintf(h, "%q %s\n", path.Clean(p), files[p])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// get reads a definition unless that has been done.
func (r *readings) get(main string, files map[string]string, content map[string][]byte) *reading {
	key := readKey(main, files)
	r.mu.Lock()
	d := r.done[key]
	r.mu.Unlock()
	if d != nil {
		return d
	}
	d = read(main, files, content)
	r.mu.Lock()
	r.done[key] = d
	r.mu.Unlock()
	return d
}

func read(main string, files map[string]string, content map[string][]byte) *reading {
	bytes := make(map[string][]byte, len(files))
	for p, sum := range files {
		bytes[path.Clean(p)] = content[sum]
	}
	d, err := definition.Read(main, bytes)
	if err != nil {
		return &reading{err: err}
	}
	r := &reading{operations: d.Operations}
	if r.operations == nil {
		r.operations = []gatehouse.Operation{}
	}
	text, err := jsonx.Canonical(r.operations)
	if err != nil {
		return &reading{err: err}
	}
	r.hash = hashOf(text)
	return r
}

// readAhead reads the definitions of a request that the store does not have
// read already.
func (c *Catalog) readAhead(ctx context.Context, req *Request) (*readings, error) {
	r := &readings{done: map[string]*reading{}}
	stored := newReader(c.db)
	var keys []string
	for _, d := range req.Documents {
		if d.Object.Kind == gatehouse.KindAPI {
			keys = append(keys, d.Object.Key())
		}
	}
	if err := stored.Load(ctx, keys); err != nil {
		return nil, err
	}
	work := make(chan func())
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		wg.Go(func() {
			for do := range work {
				do()
			}
		})
	}
	defer wg.Wait()
	defer close(work)
	for _, d := range req.Documents {
		api, ok := d.Object.Spec.(*gatehouse.API)
		if !ok {
			continue
		}
		if was, err := stored.object(ctx, d.Object.Key()); err != nil {
			return nil, err
		} else if was != nil && maps.Equal(was.stored.Files, d.Files) {
			continue
		}
		for _, v := range api.Versions {
			if v.Definition != "" && ctx.Err() == nil && present(d.Files, req.Files) {
				work <- func() { r.get(v.Definition, filesOf(api, v.Name, d.Files), req.Files) }
			}
		}
	}
	return r, ctx.Err()
}

func present(files map[string]string, content map[string][]byte) bool {
	for _, sum := range files {
		if _, ok := content[sum]; !ok {
			return false
		}
	}
	return true
}

// filesOf are the files that a version's definition may name: all of the API's
// but the definitions of its other versions.
func filesOf(api *gatehouse.API, version string, files map[string]string) map[string]string {
	mine := maps.Clone(files)
	var own string
	for _, v := range api.Versions {
		if v.Name == version {
			own = path.Clean(v.Definition)
		}
	}
	for _, v := range api.Versions {
		if v.Definition != "" && path.Clean(v.Definition) != own {
			maps.DeleteFunc(mine, func(p, _ string) bool { return path.Clean(p) == path.Clean(v.Definition) })
		}
	}
	return mine
}

// definition finds the operations of version i of an API: those known from
// before while its files stay the same, else by reading.
func (p *Plan) definition(ctx context.Context, it *item, i int, h *head) error {
	spec := it.object.Spec.(*gatehouse.API)
	before := h.VersionStatus
	h.Operations, h.Files = "", nil
	if h.version.Definition == "" {
		return nil
	}
	files := filesOf(spec, h.version.Name, it.files)
	if !slices.ContainsFunc(sorted(files), func(f string) bool { return path.Clean(f) == path.Clean(h.version.Definition) }) {
		p.Fault(it.object.Ref(), pointerTo(i, "definition"), fmt.Sprintf("definition %q is missing: it is not among the files sent", h.version.Definition))
		return nil
	}
	h.Files = sorted(files)
	if was := it.wasVersion(h.version.Name); was != nil && before.Operations != "" && was.Definition == h.version.Definition &&
		slices.Equal(before.Files, h.Files) && sameFiles(files, it.was.stored.Files) {
		h.Operations = before.Operations
		rec := p.raw["Operations/"+before.Operations]
		if err := json.Unmarshal(rec.Value, &h.operations); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading operations %q: %w", before.Operations, err)
		}
		return nil
	}
	content, err := p.contents(ctx, files)
	if err != nil {
		return err
	}
	d := p.readings.get(h.version.Definition, files, content)
	if d.err != nil {
		p.definitionFaults(it, i, d.err)
		return nil
	}
	h.Operations, h.operations = d.hash, d.operations
	return nil
}

func sameFiles(files, was map[string]string) bool {
	for path, sum := range files {
		if was[path] != sum {
			return false
		}
	}
	return true
}

func (i *item) wasVersion(name string) *gatehouse.Version {
	if i.was == nil {
		return nil
	}
	spec := i.was.object.Spec.(*gatehouse.API)
	for j := range spec.Versions {
		if spec.Versions[j].Name == name {
			return &spec.Versions[j]
		}
	}
	return nil
}

// contents are the bytes of files, as sent or as the store has them.
func (p *Plan) contents(ctx context.Context, files map[string]string) (map[string][]byte, error) {
	all := make(map[string][]byte, len(files))
	for _, sum := range files {
		if data, ok := p.req.Files[sum]; ok {
			all[sum] = data
			continue
		}
		data, err := blob(ctx, p.reader, sum)
		if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
			return nil, err
		}
		all[sum] = data
	}
	return all, nil
}

func blob(ctx context.Context, r *reader, sum string) ([]byte, error) {
	rec, ok, err := r.Record(ctx, "Blob/"+sum)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, store.NoRecord("Blob/" + sum)
	}
	var data []byte
	if err := json.Unmarshal(rec.Value, &data); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	return data, nil
}

func (p *Plan) definitionFaults(it *item, i int, err error) {
	var faults []gatehouse.Fault
	if e, ok := errors.AsType[*gatehouse.Error](err); ok {
		faults = e.Faults
	}
	if len(faults) == 0 {
		faults = []gatehouse.Fault{{Detail: err.Error()}}
	}
	for _, f := range faults {
		f.Object, f.Pointer = it.object.Ref(), pointerTo(i, "definition")
		p.faults = append(p.faults, f)
	}
}

// attachments reports policies attached to operations that are not there.
func (p *Plan) attachments(it *item, i int, h *head) {
	for _, name := range sorted(h.version.Operations) {
		if slices.ContainsFunc(h.operations, func(o gatehouse.Operation) bool { return o.ID == name || o.Method+" "+o.Path == name }) {
			continue
		}
		at := pointerTo(i, "operations", name)
		if h.version.Definition != "" {
			if h.Operations != "" {
				ids, routes := names(h.operations)
				p.Fault(it.object.Ref(), at, bundle.NoOperation(name, h.version.Definition, ids, routes))
			}
			continue
		}
		if method, path, ok := strings.Cut(name, " "); !ok || method == "" || !strings.HasPrefix(path, "/") {
			p.Fault(it.object.Ref(), at, fmt.Sprintf("operation %q: without a definition an operation is method and path, \"POST /orders\"", name))
		}
	}
}

// names are the ids and the routes of operations.
func names(all []gatehouse.Operation) (ids, routes []string) {
	for _, o := range all {
		ids, routes = append(ids, o.ID), append(routes, o.Method+" "+o.Path)
	}
	return ids, routes
}
