package catalog

import (
	"crypto/sha256"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// anywhere stands for the environment in which all newest revisions meet: two
// APIs may not claim one route even before they are released.
const anywhere = ""

// A claim is one route of one environment, hashed: base path or method and
// path template, on one host.
type claim [16]byte

// Routes are the claims of every release and of every newest revision, in
// memory: a hundred thousand routes take some tens of megabytes, and a change
// looks up only its own.
type routes struct {
	rev    store.Seq // of the guard that it stands at; zero: nothing was read
	owners map[string][]claim
	by     map[claim]string // to the owner
}

func newRoutes() *routes { return &routes{owners: map[string][]claim{}, by: map[claim]string{}} }

// follow notes that the guard moved on without any route changing.
func (r *routes) follow(rev store.Seq) { r.rev = rev }

func (r *routes) set(owner string, claims []claim) {
	for _, c := range r.owners[owner] {
		if r.by[c] == owner {
			delete(r.by, c)
		}
	}
	delete(r.owners, owner)
	if len(claims) == 0 {
		return
	}
	r.owners[owner] = claims
	for _, c := range claims {
		r.by[c] = owner
	}
}

// An owner is "environment team/name@version".
func ownerOf(env, api, version string) string { return env + " " + api + "@" + version }

// An overlay is what a plan changes about routes.
type overlay struct {
	base *routes
	sets map[string][]claim // by owner; nil: gone
	by   map[claim]string
	text map[claim]string
}

func newOverlay(base *routes) *overlay {
	return &overlay{base: base, sets: map[string][]claim{}, by: map[claim]string{}, text: map[claim]string{}}
}

// A route is a claim before it is hashed.
type route struct{ env, method, host, path string }

func (r route) claim() claim {
	sum := sha256.Sum256([]byte(r.env + "\x00" + r.method + "\x00" + r.host + "\x00" + r.path))
	return claim(sum[:16])
}

func (r route) String() string {
	host := r.host
	if host == "*" {
		host = ""
	}
	return strings.TrimSpace(r.method + " " + host + r.path)
}

// routesOf are all routes of a revision in an environment: its base path on
// each host, and each operation.
func routesOf(env string, hosts []string, form *gatehouse.RevisionForm, operations []gatehouse.Operation) []route {
	if len(form.Version.Hosts) > 0 {
		hosts = form.Version.Hosts
	}
	if len(hosts) == 0 {
		hosts = []string{"*"}
	}
	base := strings.TrimRight(form.Version.Path, "/")
	all := make([]route, 0, len(hosts)*(len(operations)+1))
	for _, h := range hosts {
		h = strings.ToLower(h)
		all = append(all, route{env, "", h, shape(base + "/")})
		for _, o := range operations {
			all = append(all, route{env, o.Method, h, shape(base + o.Path)})
		}
	}
	return all
}

// shape is a path template without the names of its parameters.
func shape(path string) string {
	var b strings.Builder
	for path != "" {
		open := strings.IndexByte(path, '{')
		end := strings.IndexByte(path, '}')
		if open < 0 || end < open {
			break
		}
		b.WriteString(path[:open])
		if path[end-1] == '+' {
			b.WriteString("{+}")
		} else {
			b.WriteString("{}")
		}
		path = path[end+1:]
	}
	return b.String() + path
}

// put replaces an owner's routes and reports the first that another has, with
// that other.
func (o *overlay) put(owner string, all []route) {
	claims := make([]claim, 0, len(all))
	for _, r := range all {
		c := r.claim()
		claims = append(claims, c)
		o.text[c] = r.String()
	}
	o.sets[owner] = claims
}

// collision finds an owner's route that another owner has too.
func (o *overlay) collision(owner string) (other, text string) {
	for _, c := range o.sets[owner] {
		if first, ok := o.by[c]; ok && first != owner {
			return first, o.text[c]
		}
		o.by[c] = owner
		if first, ok := o.base.by[c]; ok && first != owner {
			if _, moved := o.sets[first]; !moved {
				return first, o.text[c]
			}
		}
	}
	return "", ""
}

// keep makes the overlay part of the routes.
func (o *overlay) keep(rev store.Seq) {
	for owner, claims := range o.sets {
		if len(claims) == 0 {
			o.base.set(owner, nil)
		}
	}
	for owner, claims := range o.sets {
		if len(claims) > 0 {
			o.base.set(owner, claims)
		}
	}
	o.base.rev = rev
}
