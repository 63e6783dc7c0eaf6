package control

import (
	"gatehouse/control/diff"
	"gatehouse/control/governance/proof"
)

// bind ties every room to its routes.
func (c *Control) bind() {
	s := c.Server
	s.BindCatalog(c.Catalog, c.Guard)
	s.BindVersions(c.Catalog, c.Releases, c.Fleet, c.Guard)
	s.BindReleases(c.Releases)
	s.BindSubscriptions(c.Subscriptions, c.Guard)
	s.BindAccess(c.Guard)
	s.BindAudit()
	s.BindFrameworks(c.Frameworks)
	s.BindEvidence(c.Evidence)
	s.BindProof(&proof.Prover{Trail: c.Trail, Signer: c.Fleet, Explain: c.Fleet.State(), Now: c.Now})
	s.BindFleet(c.Fleet)
	s.BindDiff(&diff.Differ{Catalog: c.Catalog, Releases: c.Releases, DB: c.DB, Now: c.Now})
	s.BindUsage(c.Usage, c.Now)
	s.BindNotify(c.Notify)
	s.BindSupport(c.Support, c.Now)
	s.BindSLA(c.Promises, c.Now)
	s.BindOnboarding(c.Onboarding)
	s.BindTeams(c.Teams)
	s.BindGate(c.Gate, c.Catalog, c.Releases)
	s.BindImpact(c.Frameworks, c.Gate)
	s.BindWaiting(c.Onboarding)
}
