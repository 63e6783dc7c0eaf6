package bundle

import (
	"cmp"
	"maps"
	"slices"

	"gatehouse"
)

// A Claim is a version's hold on a base path.
type Claim struct {
	API     string   `json:"api"` // "payments/orders"
	Version string   `json:"version"`
	Path    string   `json:"path"`
	Hosts   []string `json:"hosts,omitempty"` // none: the environment's
}

// Claims are what an API holds: the paths of versions that are or may be
// served. What is retired or still in design holds nothing.
func Claims(o *gatehouse.Object) []Claim {
	api, ok := o.Spec.(*gatehouse.API)
	if !ok {
		return nil
	}
	var claims []Claim
	for _, v := range api.Versions {
		if v.Lifecycle != "design" && v.Lifecycle != "retired" {
			claims = append(claims, Claim{o.Metadata.Ref(), v.Name, v.Path, v.Hosts})
		}
	}
	return claims
}

// Collides reports whether two versions would answer the same requests: the
// same path on a common host, or both on their environment's hosts.
func (c Claim) Collides(o Claim) bool {
	if c.Path != o.Path || c.API == o.API && c.Version == o.Version {
		return false
	}
	if len(c.Hosts) == 0 || len(o.Hosts) == 0 {
		return len(c.Hosts) == len(o.Hosts)
	}
	return slices.ContainsFunc(c.Hosts, func(h string) bool { return slices.Contains(o.Hosts, h) })
}

// routes reports versions that claim what another one has, in the bundle or in
// the store.
func (c *checker) routes() {
	type held struct {
		Claim
		d *Document
	}
	taken := make(map[string][]held)
	for i := range c.bundle.Documents {
		d := &c.bundle.Documents[i]
		if d.object == nil || c.own[d.object.Key()] != d || c.err != nil {
			continue
		}
		for _, claim := range Claims(d.object) {
			where := at("versions", index(d.object, claim.Version), "path")
			for _, h := range taken[claim.Path] {
				if claim.Collides(h.Claim) {
					c.fault(d, where, "routes to %q and %q (%s) both claim %s%s", claim.ref(), h.ref(), h.d.where(), onHost(claim, h.Claim), claim.Path)
				} else if env, host := c.meet(claim, h.Claim); env != "" {
					c.fault(d, where, "routes to %q and %q (%s) both claim %s%s in environment %q", claim.ref(), h.ref(), h.d.where(), host, claim.Path, env)
				}
			}
			taken[claim.Path] = append(taken[claim.Path], held{claim, d})
			c.storedRoutes(d, where, claim)
		}
	}
}

func (c *checker) storedRoutes(d *Document, where []string, claim Claim) {
	if c.Claims == nil {
		return
	}
	stored, err := c.Claims(claim.Path)
	if err != nil {
		c.err = err
		return
	}
	for _, s := range stored {
		team, name := gatehouse.ParseRef(s.API, "")
		if _, replaced := c.own[gatehouse.Key(gatehouse.KindAPI, team, name)]; !replaced && claim.Collides(s) {
			c.fault(d, where, "routes to %q and %q both claim %s%s", claim.ref(), s.ref(), onHost(claim, s), claim.Path)
		}
	}
}

func index(o *gatehouse.Object, version string) int {
	return slices.IndexFunc(o.Spec.(*gatehouse.API).Versions, func(v gatehouse.Version) bool { return v.Name == version })
}

// meet finds an environment of the bundle, and its host, in which two versions
// that claim one path come to be: one names the host, the other has it from the
// environment.
func (c *checker) meet(a, b Claim) (env, host string) {
	if a.API == b.API && a.Version == b.Version || (len(a.Hosts) == 0) == (len(b.Hosts) == 0) {
		return "", ""
	}
	for _, key := range slices.Sorted(maps.Keys(c.own)) {
		o := c.own[key].object
		s, ok := o.Spec.(*gatehouse.Environment)
		if !ok || s.Release != nil && s.Release.Mode != "" && s.Release.Mode != "automatic" || (s.Release == nil || s.Release.Mode == "") && s.Stage != "dev" {
			continue // nothing comes there by itself
		}
		for _, h := range s.Hosts {
			if (slices.Contains(a.Hosts, h) || slices.Contains(b.Hosts, h)) && c.comes(a, o.Metadata.Name) && c.comes(b, o.Metadata.Name) {
				return o.Metadata.Name, h
			}
		}
	}
	return "", ""
}

// comes reports whether a version's backend has a place in an environment.
func (c *checker) comes(claim Claim, env string) bool {
	team, name := gatehouse.ParseRef(claim.API, "")
	d := c.own[gatehouse.Key(gatehouse.KindAPI, team, name)]
	if d == nil {
		return false
	}
	backend := d.object.Spec.(*gatehouse.API).Versions[index(d.object, claim.Version)].Backend
	if backend == "" {
		return true
	}
	team, name = gatehouse.ParseRef(backend, team)
	o, err := c.find(gatehouse.KindBackend, team, name)
	if c.err = cmp.Or(c.err, err); o == nil {
		return false
	}
	_, ok := o.Spec.(*gatehouse.Backend).Environments[env]
	return ok
}

func (c Claim) ref() string { return c.API + "@" + c.Version }

// onHost is the first host that both claim, "" for their environment's.
func onHost(a, b Claim) string {
	if i := slices.IndexFunc(a.Hosts, func(h string) bool { return slices.Contains(b.Hosts, h) }); i >= 0 {
		return a.Hosts[i]
	}
	return ""
}
