package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/gateway/route"
	"gatehouse/gateway/telemetry"
	"gatehouse/gateway/upstream"
	"gatehouse/policy"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// Values of snapshot.API.Access.
const (
	bySubscription = "subscription"
	byToken        = "token"
	open           = "open"
)

// An API is one released API version, built.
type API struct {
	unit
	ID       string
	Revision string
	Hosts    []string // empty: the environment's
	Path     string

	access    string
	any       bool
	passKey   bool
	passToken bool
	tree      route.Tree
	ops       []operation
	undefined operation // for what the definition does not name
	backend   *upstream.Backend
	shut      atomic.Bool
	fields    policy.Header // Deprecation, Sunset, Link of every answer
	// matrix names the parameters of operations that are written with semicolons;
	// few APIs have any.
	matrix map[int][]string
}

// Shut says whether the API's calls are refused, from now on and on every table
// that has it. It keeps its place meanwhile: its calls must not fall to an API
// with a shorter path.
func (a *API) Shut(shut bool) { a.shut.Store(shut) }

// An operation is what the gateway keeps of one.
type operation struct {
	telemetry.Route
	chain *chain
}

// A Builder makes what runs out of what chunks say.
type Builder struct {
	Context   context.Context // ends when the gateway stops
	Find      func(name string) (policy.Kind, bool)
	Limits    policy.Limiter
	Upstreams *upstream.Set
	Secret    func(ref string) (string, error)
	Fetch     func(ctx context.Context, url string) ([]byte, func(string) string, error)
	Log       func(format string, args ...any)

	shared registry
}

// API builds one API version. An error says why it cannot be served: a policy
// that is not known or does not build, operations that are one route. The API
// returned has one user, the table.
func (b *Builder) API(s *snapshot.API) (*API, error) {
	a := &API{ID: s.ID(), Revision: s.Revision, Hosts: s.Hosts, Path: s.Path, access: s.Access, any: s.Any,
		passKey: s.Backend.PassKey, passToken: s.Backend.PassToken, fields: lifecycle(s)}
	if a.Path != "" {
		if p, err := route.Normalize(a.Path, route.Rules{}); err != nil || p != a.Path || strings.HasSuffix(p, "/") {
			return nil, fmt.Errorf("path %q is not in normal form", a.Path)
		}
	}
	if !slices.Contains([]string{bySubscription, byToken, open}, a.access) {
		return nil, fmt.Errorf("access %q is not known to this gateway", a.access)
	}
	ops := make([]route.Op, len(s.Operations))
	for i := range s.Operations {
		ops[i] = route.Op{Method: s.Operations[i].Method, Path: s.Operations[i].Path}
		if names := s.Operations[i].Matrix; len(names) > 0 {
			if a.matrix == nil {
				a.matrix = make(map[int][]string)
			}
			a.matrix[i] = names
		}
	}
	tree, err := route.NewTree(ops)
	if err != nil {
		return nil, err
	}
	a.tree = *tree
	var keys []string
	if err := b.chains(a, s, &keys); err != nil {
		b.shared.release(keys)
		return nil, err
	}
	a.backend = b.Upstreams.Acquire(s.Backend)
	a.users.Store(1)
	a.release = func() {
		a.backend.Release()
		b.shared.release(keys)
	}
	// An API whose operations are all mocked names no backend.
	if err := a.backend.Err(); err != nil && (s.Backend.Name != "" || len(s.Backend.Targets) > 0) {
		a.Done()
		return nil, fmt.Errorf("backend %q: %w", s.Backend.Name, err)
	}
	return a, nil
}

// chains builds the chain of each operation; operations without policies and
// examples of their own share the version's.
func (b *Builder) chains(a *API, s *snapshot.API, keys *[]string) error {
	shared, err := b.chain(a, s, nil, keys)
	if err != nil {
		return err
	}
	a.undefined = operation{telemetry.Route{API: a.ID, Revision: report.ShortRevision(a.Revision)}, shared}
	a.ops = make([]operation, len(s.Operations))
	each := b.perOperation(s.Mandatory) || b.perOperation(s.Policies)
	for i := range s.Operations {
		o := &s.Operations[i]
		c := shared
		if each || len(o.Policies) > 0 || len(o.Examples) > 0 {
			if c, err = b.chain(a, s, o, keys); err != nil {
				return fmt.Errorf("operation %q: %w", o.ID, err)
			}
		}
		if a.access == byToken && len(c.token) == 0 {
			return fmt.Errorf(`operation %q: access is "token", but no policy verifies one; add jwt`, o.ID)
		}
		a.ops[i] = operation{telemetry.Route{API: a.ID, Operation: o.ID, Revision: a.undefined.Route.Revision}, c}
	}
	if a.access == byToken && a.any && len(shared.token) == 0 {
		return errors.New(`access is "token", but no policy verifies one; add jwt`)
	}
	return nil
}

// perOperation tells whether any of uses differs from operation to operation.
func (b *Builder) perOperation(uses []policy.Use) bool {
	return slices.ContainsFunc(uses, func(u policy.Use) bool {
		kind, ok := b.Find(u.Name)
		return ok && kind.PerOperation
	})
}

// chain builds the chain of o, or of all that have none of their own.
func (b *Builder) chain(a *API, s *snapshot.API, o *snapshot.Operation, keys *[]string) (*chain, error) {
	at := place{nowhere: o == nil && !a.any}
	if o != nil {
		at = place{params: route.Params(o.Path), examples: o.Examples}
	}
	tokens := a.access == byToken
	at.scope = "mandatory:" + a.ID
	mandatory, err := b.build(s.Mandatory, at, tokens, keys)
	if err != nil {
		return nil, err
	}
	at.scope = a.ID
	version, err := b.build(s.Policies, at, tokens, keys)
	if err != nil {
		return nil, err
	}
	var own part
	if o != nil {
		at.scope = a.ID + "#" + o.ID
		if own, err = b.build(o.Policies, at, tokens, keys); err != nil {
			return nil, err
		}
	}
	return &chain{
		early:     slices.Concat(mandatory.early, version.early, own.early),
		token:     slices.Concat(mandatory.token, version.token, own.token),
		mandatory: slices.Clip(mandatory.rest),
		own:       slices.Concat(version.rest, own.rest),
	}, nil
}

// lifecycle makes the fields that tell callers that an API goes: Deprecation
// (RFC 9745 §2), Sunset (RFC 8594 §3) and a Link to what comes after it.
func lifecycle(s *snapshot.API) policy.Header {
	var h policy.Header
	if s.Deprecated != 0 {
		h.Add("Deprecation", "@"+strconv.FormatInt(s.Deprecated, 10))
	}
	if s.Sunset != 0 {
		h.Add("Sunset", time.Unix(s.Sunset, 0).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	if s.Successor != "" && !strings.ContainsAny(s.Successor, "<>\r\n\x00 ") {
		h.Add("Link", "<"+s.Successor+`>; rel="successor-version"`)
	}
	return h
}
