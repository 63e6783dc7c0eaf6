package control

import (
	"gatehouse/control/governance/proof"
	"gatehouse/control/release"
	"gatehouse/control/server"
)

// bind ties every room to its routes.
func (c *Control) bind() {
	s := c.Server
	s.BindCatalog(c.Catalog, c.Guard, c.Fleet)
	s.BindSubscriptions(c.Subscriptions, c.Guard)
	s.BindAccess(c.Guard)
	s.BindAudit()
	s.BindFrameworks(c.Frameworks)
	s.BindEvidence(c.Evidence)
	s.BindProof(&proof.Prover{Trail: c.Trail, Signer: c.Fleet, Explain: c.Fleet.State(), Now: c.Now})
	server.BindFleet(s, c.Fleet)
	server.BindDiff(s, &release.Differ{Catalog: c.Catalog, DB: c.DB, Now: c.Now})
	server.BindUsage(s, c.Usage, c.Now)
	server.BindNotify(s, c.Notify)
	server.BindSupport(s, c.Support, c.Now)
	server.BindSLA(s, c.Promises, c.Now)
	s.BindOnboarding(c.Onboarding)
	s.BindTeams(c.Teams)
	s.BindGate(c.Gate, c.Catalog)
}
