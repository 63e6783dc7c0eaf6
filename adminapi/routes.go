package adminapi

import "slices"

// Routes is the whole table, in the order of the OpenAPI document. Each room
// lists its own; object routes come from the kinds.
var Routes = slices.Concat(
	[]Described{Apply, Export},
	listedObjectRoutes(),
	[]Described{ListRevisions, GetRevision, Release, Promote, Rollback, Withdraw, ApproveRelease, RejectRelease, GetStatus, Explain, GetCatalog},
	[]Described{Subscribe, ApproveSubscription, RejectSubscription, SuspendSubscription, ResumeSubscription, CancelSubscription, ListKeys, CreateKey, RotateKey, RevokeKey},
	[]Described{Whoami, ListTokens, CreateToken, RevokeToken, ListSessions, RevokeSession, CreateLoginCode, Login, Logout, ListBuiltInRoles, AccessCan, AccessWhy, AccessWho},
	[]Described{QueryAudit, TailAudit, VerifyAudit, ExportAudit},
	[]Described{CreateGatewayToken, ListGatewayTokens, RevokeGatewayToken, ListInstances, ListGatewayInstances, RevokeInstance, GetDelivery, GetRollout, QueryUsage},
	onboardingRoutes,
	teamRoutes,
	frameworkRoutes,
	impactRoutes,
	evidenceRoutes,
	gateRoutes,
	releaseRoutes,
	diffRoutes,
	notifyRoutes,
	supportRoutes,
	slaRoutes,
	waitingRoutes,
	operationRoutes,
)

// Actions are what a role can permit, sorted: the actions of all routes.
func Actions() []string {
	all := make([]string, len(Routes))
	for i, r := range Routes {
		all[i] = r.Describe().Action
	}
	slices.Sort(all)
	return slices.Compact(all)
}
