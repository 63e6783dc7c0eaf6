package document

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A Model is all that a document is made of.
type Model struct {
	Framework, Version, Title, Summary string
	Standing                           gatehouse.FrameworkVersionState
	Text                               *gatehouse.FrameworkText
	Approvals                          []gatehouse.Decision
	Governed                           bool // some framework is or was in force

	Environments []Named[gatehouse.Environment]
	Gateways     []Named[gatehouse.Gateway]
	Provider     *gatehouse.Team // that the service names; nil when there is none
	Products     []Named[gatehouse.Product]
	Teams        []Team // that expose APIs by this framework
	Time         time.Time
}

// A Named is an object by its name, "prod" or "payments/commerce".
type Named[T any] struct {
	Name string
	Spec T
}

// A Team is one that builds on the framework.
type Team struct {
	Name string
	Spec gatehouse.Team
	APIs int
}

// maxRead bounds how many objects of a kind are looked through.
const maxRead = 20_000

// Live fills a model with what is there now. Objects of teams are shown where
// see allows it.
func Live(ctx context.Context, db store.DB, m *Model, see func(kind gatehouse.Kind, team, name string) bool) error {
	var err error
	if m.Environments, err = named[gatehouse.Environment](ctx, db, gatehouse.KindEnvironment, nil); err != nil {
		return err
	}
	if m.Gateways, err = named[gatehouse.Gateway](ctx, db, gatehouse.KindGateway, nil); err != nil {
		return err
	}
	counts := map[string]int{}
	mine := map[string]bool{} // APIs of the framework
	err = each(ctx, db, store.Query{Kind: string(gatehouse.KindAPI), Where: map[string]string{"framework": m.Framework}}, func(r store.Record) error {
		ref := strings.TrimPrefix(r.Key, string(gatehouse.KindAPI)+"/")
		team, _, _ := strings.Cut(ref, "/")
		counts[team]++
		mine[ref] = true
		return nil
	})
	if err != nil {
		return err
	}
	if err := m.teams(ctx, db, counts, see); err != nil {
		return err
	}
	m.Products, err = named(ctx, db, gatehouse.KindProduct, func(ref string, p *gatehouse.Product) bool {
		team, name, _ := strings.Cut(ref, "/")
		return slices.ContainsFunc(p.APIs, func(api string) bool {
			t, n, _, _ := gatehouse.ParseVersionRef(api, team)
			return mine[t+"/"+n]
		}) && see(gatehouse.KindProduct, team, name)
	})
	return err
}

func (m *Model) teams(ctx context.Context, db store.DB, counts map[string]int, see func(gatehouse.Kind, string, string) bool) error {
	provider := ""
	if s := m.Text.Version.Service; s != nil {
		provider = s.Team
	}
	return each(ctx, db, store.Query{Kind: string(gatehouse.KindTeam)}, func(r store.Record) error {
		name := strings.TrimPrefix(r.Key, string(gatehouse.KindTeam)+"/")
		if name != provider && counts[name] == 0 {
			return nil
		}
		t := Team{Name: name, APIs: counts[name]}
		if err := decode(r, &t.Spec); err != nil {
			return err
		}
		if name == provider {
			m.Provider = &t.Spec
		}
		if counts[name] > 0 && see(gatehouse.KindTeam, "", name) {
			m.Teams = append(m.Teams, t)
		}
		return nil
	})
}

// named reads all objects of a kind that keep lets in; nil lets all in.
func named[T any](ctx context.Context, db store.DB, kind gatehouse.Kind, keep func(ref string, spec *T) bool) (all []Named[T], err error) {
	err = each(ctx, db, store.Query{Kind: string(kind)}, func(r store.Record) error {
		n := Named[T]{Name: strings.TrimPrefix(r.Key, string(kind)+"/")}
		if err := decode(r, &n.Spec); err != nil {
			return err
		}
		if keep == nil || keep(n.Name, &n.Spec) {
			all = append(all, n)
		}
		return nil
	})
	return all, err
}

func each(ctx context.Context, db store.DB, q store.Query, do func(store.Record) error) error {
	q.Limit = 1000
	for read := 0; read < maxRead; {
		page, err := db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := do(r); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
		read += len(page.Records)
	}
	return nil
}

func decode(r store.Record, spec any) error {
	var stored gatehouse.Stored
	o := struct {
		Spec any `json:"spec"`
	}{spec}
	err := json.Unmarshal(r.Value, &stored)
	if err == nil {
		err = json.Unmarshal(stored.Object, &o)
	}
	if err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return nil
}
