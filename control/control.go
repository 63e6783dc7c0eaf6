// Package control is the management wing: it opens the store, wires its rooms
// and runs the work that no request asks for.
//
// Rooms know each other only through what is handed to them here. The package
// listens nowhere: it gives handlers and TLS settings to whoever does.
package control

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/fleet"
	"gatehouse/control/governance/document"
	"gatehouse/control/governance/evidence"
	"gatehouse/control/governance/framework"
	"gatehouse/control/governance/gate"
	"gatehouse/control/notify"
	"gatehouse/control/release"
	"gatehouse/control/server"
	"gatehouse/control/sla"
	"gatehouse/control/subscription"
	"gatehouse/control/support"
	"gatehouse/control/team"
	"gatehouse/control/team/onboarding"
	"gatehouse/control/usage"
	"gatehouse/link"
	"gatehouse/store"
	"gatehouse/store/postgres"
	"gatehouse/store/sqlite"
	"gatehouse/web"
)

// Options are what a control plane is made of.
type Options struct {
	// Data is the data directory: embedded database, keys, the first token.
	Data string
	// Database is a postgres:// URL; empty is the embedded one in Data.
	Database string
	Log      *slog.Logger
	Version  string
	Now      func() time.Time // nil: time.Now
	// Origins under which people reach the management API through a proxy,
	// such as "https://gatehouse.example.com".
	Origins []string
	// Notify says how people and programs are told.
	Notify NotifyOptions
}

// NotifyOptions are the settings of notifications.
type NotifyOptions struct {
	Allow []netip.Prefix // private networks that webhooks may reach
	Mail  *notify.Mailer // nil: no mail
}

// A Control is one control-plane process.
type Control struct {
	Options
	DB            store.DB
	Trail         *audit.Trail
	Guard         *access.Guard
	Catalog       *catalog.Catalog
	Releases      *release.Desk
	Conductor     *release.Conductor
	Subscriptions *subscription.Desk
	Fleet         *fleet.Fleet
	Usage         *usage.Usage
	Notify        *notify.Notify
	Support       *support.Desk
	Promises      *sla.Promises
	Onboarding    *onboarding.Desk
	Teams         *team.Desk
	Frameworks    *framework.Desk
	Gate          *gate.Gate
	Evidence      *evidence.Shelf
	Server        *server.Server

	// Rest answers everybody who waits for news with what there is. It is for
	// the beginning of the end: nobody should wait for those who only wait.
	Rest func()
	rest context.Context
}

// Open opens the store and the rooms. The first start makes the administrator
// and leaves its token in the data directory.
func Open(ctx context.Context, o Options) (*Control, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, err
	}
	o.Log = bounded(o.Log)
	c := &Control{Options: o}
	c.rest, c.Rest = context.WithCancel(context.Background())
	var err error
	if o.Database != "" {
		c.DB, err = postgres.Open(ctx, o.Database)
	} else {
		c.DB, err = sqlite.Open(ctx, filepath.Join(o.Data, "gatehouse.db"))
	}
	if err != nil {
		return nil, err
	}
	if err := c.wire(ctx); err != nil {
		return nil, errors.Join(err, c.DB.Close())
	}
	return c, nil
}

func (c *Control) wire(ctx context.Context) error {
	c.Trail = &audit.Trail{DB: c.DB, Now: c.Now}
	var err error
	if c.Guard, err = access.Open(ctx, c.Trail, c.Log); err != nil {
		return err
	}
	if err := c.admin(ctx); err != nil {
		return err
	}
	c.Catalog = catalog.New(c.Trail)
	c.Releases = release.New(c.Catalog, c.DB)
	c.Releases.Holds = func(subject, role, on string) bool { return c.Guard.Index().Holds(subject, role, access.ParseOn(on)) }
	c.Conductor = &release.Conductor{Desk: c.Releases, Log: c.Log, Now: c.Now, May: func(subject, action, on string) error {
		return c.Guard.AuthorizeOn(subject, action, access.ParseOn(on))
	}}
	c.Catalog.Actions = adminapi.Actions()
	c.Subscriptions = subscription.New(c.Trail, c.Catalog)
	c.Onboarding = onboarding.New(c.Trail, c.Catalog, c.Guard)
	c.Usage = &usage.Usage{DB: c.DB}
	c.Evidence = evidence.New(c.Trail)
	c.Teams = &team.Desk{Catalog: c.Catalog, Guard: c.Guard, Trail: c.Trail, Onboarding: c.Onboarding, Support: c.teamSupport}
	c.Frameworks = framework.New(c.Trail, c.Guard)
	c.Frameworks.Document = func(ctx context.Context, v *framework.View) (markdown, html []byte, err error) {
		page, err := document.Of(ctx, c.DB, v, c.Frameworks.Now(), nil)
		if err != nil {
			return nil, nil, err
		}
		return page.Markdown(), page.HTML(), nil
	}
	if err := c.Frameworks.Adopt(ctx); err != nil {
		return err
	}
	strangers := &audit.Strangers{Trail: c.Trail}
	if c.Fleet, err = fleet.Open(ctx, fleet.Options{DB: c.DB, Trail: c.Trail, Strangers: strangers, Log: c.Log, Dir: c.Data, Take: c.Usage.Take, Now: c.Now, Nodes: c.nodes, Rest: c.rest}); err != nil {
		return err
	}
	c.Gate = gate.New(c.Trail, c.Fleet, c.Log)
	c.Releases.Gate, c.Frameworks.Inaugurate = c.Gate, c.Gate.Inaugurate
	c.Gate.Holds = func(subject, role, api string) bool {
		return c.Guard.Index().Holds(subject, role, access.ParseOn("API/"+api))
	}
	c.Gate.Apart = func(ctx context.Context, before, did string) error {
		return c.Guard.Apart(ctx, before, did, access.ByTeam)
	}
	c.Releases.Apart = func(ctx context.Context, before, did string) error {
		return c.Guard.Apart(ctx, before, did, access.ByHand)
	}
	c.Notify = notify.New(notify.Options{DB: c.DB, Trail: c.Trail, Log: c.Log, Now: c.Now, Vault: c.Fleet, Source: "/gatehouse/" + c.Fleet.ID(), Version: c.Version,
		Alone: c.Database == "", Allow: c.Options.Notify.Allow, Mail: c.Options.Notify.Mail})
	c.Support = support.New(c.Trail, c.Catalog)
	c.Promises = &sla.Promises{Catalog: c.Catalog, DB: c.DB, Support: c.Support, Now: c.Now}
	c.Teams.Levels = c.Promises.OfTeam
	c.Catalog.EventTypes = adminapi.EventTypes()
	c.Server = server.New(server.Options{DB: c.DB, Trail: c.Trail, Strangers: strangers, Authority: access.Authority{Guard: c.Guard}, Log: c.Log, Version: c.Version,
		TrustedOrigins: c.Origins, Rest: c.rest, Alone: c.Database == ""})
	c.bind()
	return nil
}

// nodes is how many control planes may share the database: an embedded one is
// this process's alone; for PostgreSQL two are assumed.
func (c *Control) nodes() int {
	if c.Database != "" {
		return 2
	}
	return 1
}

// LocalGateway sees to it that there are an environment dev and a gateway
// "local" in it, for the gateway of the same process, and makes a token for it
// to join with.
func (c *Control) LocalGateway(ctx context.Context) (token string, err error) {
	if err := c.ensure(ctx, gatehouse.KindEnvironment, "dev", &gatehouse.Environment{Stage: "dev"}); err != nil {
		return "", err
	}
	if err := c.ensure(ctx, gatehouse.KindGateway, LocalGateway, &gatehouse.Gateway{
		Title: "The gateway of gatehouse serve", Environment: "dev", Location: &gatehouse.Location{Cloud: "local", Network: "private"},
	}); err != nil {
		return "", err
	}
	token, _, err = c.Fleet.CreateJoinToken(ctx, LocalGateway, time.Hour)
	return token, err
}

// LocalGateway is the name of the gateway within "gatehouse serve".
const LocalGateway = "local"

// ensure makes an object of the organization unless it is there.
func (c *Control) ensure(ctx context.Context, kind gatehouse.Kind, name string, spec gatehouse.Spec) error {
	_, err := c.Catalog.Get(ctx, kind, "", name, time.Time{})
	if !gatehouse.Is(err, gatehouse.NotFound) {
		return err
	}
	o := &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: name}, Spec: spec}
	_, err = c.Catalog.Apply(ctx, catalog.Request{Documents: []catalog.Document{{Object: o}}})
	return err
}

// Handler serves people and gateways: the management API, its pages, and the
// link to those who come with its certificate.
func (c *Control) Handler() http.Handler {
	api, pages, gateways := c.Server.Handler(), web.Handler(), link.NewServer(c.Fleet, c.Log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, link.Prefix):
			gateways.ServeHTTP(w, r)
		case web.Owns(r.URL.Path):
			pages.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// TLS is the configuration for the management listener; base is the
// certificate for people, nil for none.
func (c *Control) TLS(base *tls.Config) *tls.Config { return c.Fleet.TLSConfig(base) }

// Close closes the store; Run must have returned.
func (c *Control) Close() error { return c.DB.Close() }
