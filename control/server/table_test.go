package server

import (
	"strings"
	"testing"

	"gatehouse/adminapi"
)

// TestEveryRouteNamesItsPermission holds that no route slips in without an
// action to ask for and to record, a summary, and an object or a reason to have
// none.
func TestEveryRouteNamesItsPermission(t *testing.T) {
	// These handlers ask for each object they touch, or filter what they list.
	within := map[string]bool{"apply": true, "export": true, "queryAudit": true, "tailAudit": true, "exportAudit": true, "getCatalog": true, "subscribe": true, "putRoleAssignment": true, "approveSubscription": true, "rejectSubscription": true, "suspendSubscription": true, "resumeSubscription": true,
		"cancelSubscription": true, "createToken": true, "revokeToken": true, "revokeSession": true, "createLoginCode": true,
		"logout": true, "accessCan": true, "accessWhy": true, "accessWho": true, "queryUsage": true, "getNotification": true, "replayNotification": true, "testReceiver": true, "rotateReceiverSecret": true, "getServiceLevels": true, "openSupport": true, "getSupport": true, "getSupportAttachment": true, "replySupport": true, "assignSupport": true, "closeSupport": true, "reopenSupport": true, "getOverview": true, "getOnboarding": true, "answerOnboarding": true, "withdrawOnboarding": true,
		"addEvidence": true, "getEvidence": true, "getEvidenceContent": true,
		"askWaiver": true, "getWaiver": true, "approveWaiver": true, "rejectWaiver": true, "revokeWaiver": true}
	ids := map[string]bool{}
	for _, r := range adminapi.Routes {
		o := r.Describe()
		if ids[o.ID] {
			t.Errorf("%s: two routes have the id", o.ID)
		}
		ids[o.ID] = true
		if o.Action == "" {
			t.Errorf("%s: the route names no action", o.ID)
		}
		if o.Doc == "" || strings.HasSuffix(o.Summary(), ".") {
			t.Errorf("%s: the summary %q is missing or ends with a full stop", o.ID, o.Summary())
		}
		if o.On == "" && !o.Public && !within[o.ID] && !strings.HasPrefix(o.ID, "list") {
			t.Errorf("%s: the route names no object to ask permission on", o.ID)
		}
	}
}
