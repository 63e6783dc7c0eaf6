package access

import "strings"

// A BuiltInRole is a role every installation has. A document of kind Role
// cannot take its name.
type BuiltInRole struct {
	Name        string
	Title       string
	Doc         string
	Permissions []string
}

// BuiltInRoles lists the roles, the widest first.
var BuiltInRoles = []BuiltInRole{
	{"admin", "Administrator", `everything, everywhere in its scope

On the organization: the whole installation, including roles and who has them.
On a team: all of that team. The first start makes one, user "admin".`,
		[]string{"*"}},

	{"provider", "Service provider", `run the platform

For the platform team: environments, gateways, frameworks, connectors, teams and
people; helps any team in its scope with APIs, releases and subscriptions. It
neither approves what it made nor changes roles or what is recorded.`,
		join(reading("*"), whole("environment", "gateway", "gateway-token", "instance", "connector", "alarm", "webhook", "portal",
			"team", "user", "group", "service-account", "role-assignment", "onboarding", "support"),
			words("framework.put framework.delete framework.submit framework.create framework.enforce framework.comment"),
			words("audit.query audit.verify audit.tail access.can access.why access.who export api.explain release.override release.diff"),
			whole("notification"),
			teamWork)},

	{"compliance", "Compliance", `judge the rules and see that they hold

Approves frameworks, waivers and evidence, keeps the trail, and reads all of it,
the record of actions included. Changes no API.`,
		join(reading("*"), whole("gate", "waiver", "attestation", "evidence", "audit", "access", "trail", "alarm"),
			words("framework.approve framework.reject framework.enforce framework.withdraw framework.comment approval.approve approval.reject usage.get export api.explain release.diff"))},

	{"developer", "Developer", `build, publish and release a team's APIs

All of a team's own objects: APIs, backends, policy sets, products, applications,
subscriptions and keys; releases, promotes and rolls back; tokens of its service
accounts, for its pipelines. Where a release or a
subscription waits for approval, an approver decides.`,
		join(readingOf(teamNouns), teamWork)},

	{"approver", "Approver", `let subscriptions and releases through

Approves, rejects, suspends and resumes, and reads what is needed to decide.`,
		join(readingOf(teamNouns),
			words("subscription.approve subscription.reject subscription.suspend subscription.resume subscription.cancel"),
			words("release.approve release.reject onboarding.approve onboarding.reject onboarding.ask onboarding.get onboarding.list team.members team.activity usage.get api.explain"))},

	{"consumer", "Application owner", `use APIs through applications

Makes applications, asks for subscriptions and handles their keys. What products
there are for the team is found by their audience.`,
		join(readingOf(words("api product catalog application subscription key usage sla")), consuming)},

	{"viewer", "Viewer", `see a team's work

Reads APIs, products, releases and what runs, but neither keys nor people nor the
record of actions. Members of a team hold it on that team.`,
		join(readingOf(teamNouns), words("usage.get api.explain release.diff"))},

	{"auditor", "Auditor", `see everything, change nothing

Reads all objects, past and present, the record of actions, and who may do what;
exports and verifies the trail.`,
		join(reading("*"), whole("audit", "access"), words("usage.get gate.verify export api.explain release.diff"))},
}

// Everyone is what whoever is signed in may do anywhere: see the environments
// and frameworks they build for, which roles there are, and who they are
// themselves, whether a change has reached the gateways, what waits for them,
// and ask to be on-boarded. Nothing in it belongs to a team.
var Everyone = words("environment.get environment.list framework.get framework.list role.get role.list access.whoami rollout.get onboarding.create waiting.list")

var (
	teamNouns = words("api backend policy-set product application subscription environment gateway framework team release revision catalog usage sla gate waiver support status")
	consuming = join(whole("application", "key", "support"),
		words("subscription.create subscription.put subscription.delete subscription.cancel usage.get"))
	teamWork = join(whole("api", "backend", "policy-set", "product"), consuming,
		words("key.get key.list release.create release.promote release.rollback release.withdraw release.pause release.resume release.abort release.finish release.cancel release.diff gate.run gate.answer waiver.ask evidence.create evidence.get evidence.list"),
		words("notification.list notification.get notification.replay notification.test"),
		words("team.kit team.members team.activity service-account.token"))
)

func words(text string) []string { return strings.Fields(text) }

func reading(noun string) []string { return []string{noun + ".get", noun + ".list"} }

func readingOf(nouns []string) (all []string) {
	for _, n := range nouns {
		all = append(all, reading(n)...)
	}
	return all
}

func whole(nouns ...string) (all []string) {
	for _, n := range nouns {
		all = append(all, n+".*")
	}
	return all
}

// join puts lists together, each pattern once, in order.
func join(lists ...[]string) (all []string) {
	seen := map[string]bool{}
	for _, list := range lists {
		for _, p := range list {
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	return all
}

// BuiltIn is the built-in role of that name.
func BuiltIn(name string) (BuiltInRole, bool) {
	for _, r := range BuiltInRoles {
		if r.Name == name {
			return r, true
		}
	}
	return BuiltInRole{}, false
}

// compiled are the built-in roles' permissions by name, and Everyone's under "".
var compiled = func() map[string]Permissions {
	all := map[string]Permissions{}
	for _, r := range append(BuiltInRoles, BuiltInRole{Permissions: Everyone}) {
		p, err := CompilePermissions(r.Permissions)
		if err != nil {
			panic("built-in role " + r.Name + ": " + err.Error())
		}
		all[r.Name] = p
	}
	return all
}()
