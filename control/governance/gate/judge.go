package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/rule"
	"gatehouse/store"
)

// A judging is a framework version made ready to judge by.
type judging struct {
	text  *gatehouse.FrameworkText
	hash  string
	rules []*rule.Rule
}

// A bench is what judges an API in an environment, and how strictly.
type bench struct {
	mode      string // of the environment's gate
	framework string // "" when none is named
	*judging         // nil when no version is in force
	since     time.Time
	governed  time.Time // when the first framework of the installation came in force; zero: never
	withdrawn bool      // a version was in force, and none is any more
	ends      string    // how that came, ": version … was withdrawn …"; "" where it is not known
	accepts   []string  // the only frameworks that count, when the one named does not
	ended     time.Time // when the version's validity ends; zero: never
}

// governed is when the first framework version ever came in force.
func (g *Gate) governed(ctx context.Context) (first time.Time, err error) {
	err = each(ctx, g.db, store.Query{Kind: string(gatehouse.KindFrameworkState)}, func(r store.Record) error {
		var s gatehouse.FrameworkState
		if err := json.Unmarshal(r.Value, &s); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
		}
		if !s.Governed.IsZero() && (first.IsZero() || s.Governed.Before(first)) {
			first = s.Governed
		}
		return nil
	})
	return first, err
}

// bench finds the framework version that judges an API with a framework of its
// own, or "", in an environment.
func (g *Gate) bench(ctx context.Context, v View, env *gatehouse.Environment, named string, governed time.Time) (*bench, error) {
	b := &bench{mode: env.GateMode(!governed.IsZero()), framework: named, governed: governed}
	if b.framework == "" && env.Gate != nil {
		b.framework = env.Gate.Framework
	}
	if b.framework == "" {
		return b, nil
	}
	if !env.Gate.Counts(b.framework) {
		b.accepts = env.Gate.Accepts
		return b, nil
	}
	var s gatehouse.FrameworkState
	if ok, err := decode(ctx, v, gatehouse.FrameworkStateKey(b.framework), &s); !ok || err != nil || s.InForce == "" {
		b.withdrawn, b.ends = !s.Governed.IsZero(), lastWithdrawal(&s)
		return b, err
	}
	on := s.Versions[s.InForce]
	b.since = on.Since
	var err error
	if b.judging, err = g.ready(ctx, v, on.Hash); err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "making framework %q %s ready: %w", b.framework, s.InForce, err)
	}
	if day, err := time.Parse(time.DateOnly, b.text.Version.ValidUntil); err == nil {
		b.ended = day.AddDate(0, 0, 1) // the last day counts
	}
	return b, nil
}

// lastWithdrawal tells of the version of a framework that was withdrawn last.
func lastWithdrawal(s *gatehouse.FrameworkState) string {
	name, last := "", gatehouse.FrameworkVersionState{}
	for n, v := range s.Versions {
		if v.State == gatehouse.Withdrawn && (name == "" || v.Since.After(last.Since) || v.Since.Equal(last.Since) && n > name) {
			name, last = n, v
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf(": %s was withdrawn on %s by %s: %s", name, last.Since.UTC().Format(time.DateOnly), last.By, clip(last.Reason))
}

// quoted names one or several: "a", "b" or "c".
func quoted(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			text += " or "
		case i > 0:
			text += ", "
		}
		text += strconv.Quote(n)
	}
	return text
}

// ready is the framework version whose text has that hash, made ready once.
func (g *Gate) ready(ctx context.Context, v View, hash string) (*judging, error) {
	g.mu.Lock()
	j := g.versions[hash]
	g.mu.Unlock()
	if j != nil {
		return j, nil
	}
	j = &judging{text: new(gatehouse.FrameworkText), hash: hash}
	ok, err := decode(ctx, v, string(gatehouse.KindFrameworkText)+"/"+hash, j.text)
	if err == nil && !ok {
		err = gatehouse.E(gatehouse.Internal, "its text %.12s is not kept", hash)
	}
	if err != nil {
		return nil, err
	}
	var faults []gatehouse.Fault
	j.rules, faults = rule.All(&j.text.Version, func(file string) ([]byte, error) { return blob(ctx, v, fileOf(j.text.Files, file)) })
	if len(faults) > 0 {
		return nil, gatehouse.InvalidFaults(faults)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.versions) >= maxVersions {
		clear(g.versions)
	}
	g.versions[hash] = j
	return j, nil
}

// fileOf is the hash of a file, however its path was written.
func fileOf(files map[string]string, name string) string {
	for p, sum := range files {
		if path.Clean(p) == path.Clean(name) {
			return sum
		}
	}
	return ""
}

// blob is the content kept under a hash.
func blob(ctx context.Context, v View, sum string) ([]byte, error) {
	value, err := v.Record(ctx, "Blob/"+sum)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, gatehouse.E(gatehouse.Internal, "content %.12s is not kept", sum)
	}
	var data []byte
	if err := json.Unmarshal(value, &data); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading content %.12s: %w", sum, err)
	}
	return data, nil
}

// last is for how long a pass holds.
func (b *bench) last() time.Duration {
	if d := b.text.Version.AttestationsLast.Std(); d > 0 {
		return d
	}
	return DefaultLast
}

// reason says why no control can be asked; "" when they can.
func (b *bench) reason(api, env string) (reason, remedy string) {
	switch {
	case b.framework == "" && env == "":
		return fmt.Sprintf("API %q names no framework", api), "name a framework in the API's document (spec.framework)"
	case b.framework == "":
		return fmt.Sprintf("API %q names no framework, and environment %q has none for such", api, env),
			"name a framework in the API's document (spec.framework), or one for all others in the environment's (spec.gate.framework)"
	case b.accepts != nil:
		return fmt.Sprintf("API %q names framework %q, and environment %q accepts %s only", api, b.framework, env, quoted(b.accepts)),
			fmt.Sprintf("name %s in the API's document (spec.framework), or have framework %q accepted by the environment (spec.gate.accepts)", quoted(b.accepts), b.framework)
	case b.judging == nil:
		return fmt.Sprintf("framework %q has no version in force%s", b.framework, b.ends),
			fmt.Sprintf("put a version of framework %q in force, or name another framework", b.framework)
	}
	return "", ""
}
