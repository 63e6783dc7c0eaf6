package adminapi

import (
	"time"

	"gatehouse"
)

const gatePath = versionPath + "/gate"

// The routes of the compliance gate.
var (
	RunGate = Route[RunGateRequest, GateAnswer]{Operation{
		ID: "runGate", Pattern: "POST " + gatePath + "/run", Action: "gate.run", On: versionOn,
		Doc: `Evaluate a revision for an environment

Each control of the framework version in force passes, fails with its places, is waived, on notice or waits for a person. A revision that passes gets its attestation. That it does not pass is no error of the request.`,
	}}
	GetGate = Route[GetGateRequest, GateAnswer]{Operation{
		ID: "getGate", Pattern: "GET " + gatePath, Action: "gate.get", On: versionOn,
		Doc: "Read the last evaluation and the attestation\n\nOf what is released there, or of the revision that is named.",
	}}
	ListGate = Route[ListGateRequest, GateList]{Operation{
		ID: "listGate", Pattern: "GET /v1/gate", Action: "gate.list",
		Doc: "List the last evaluation of everything that is released\n\nOne entry for each API version and environment, those of APIs that the caller may see.",
	}}
	ListAnswers = Route[ListAnswersRequest, AnswerList]{Operation{
		ID: "listAnswers", Pattern: "GET " + gatePath + "/answers", Action: "gate.get", On: versionOn,
		Doc: "List the answers to questions of controls about an API version",
	}}
	AnswerGate = Route[AnswerGateRequest, AnswerAnswer]{Operation{
		ID: "answerGate", Pattern: "POST " + gatePath + "/answer", Action: "gate.answer", On: versionOn,
		Doc: "Answer the question of a control\n\nThe answer counts once someone else confirms it, until something it depends on changes.",
	}}
	ConfirmGate = Route[ConfirmGateRequest, AnswerAnswer]{Operation{
		ID: "confirmGate", Pattern: "POST " + gatePath + "/confirm", Action: "gate.confirm", On: versionOn,
		Doc: "Confirm or reject somebody's answer\n\nWho gave it cannot; where the control names a role, who confirms holds it.",
	}}
	RevokeAttestation = Route[RevokeAttestationRequest, AttestationAnswer]{Operation{
		ID: "revokeAttestation", Pattern: "POST " + gatePath + "/revoke", Action: "attestation.revoke", On: versionOn,
		Doc: "Take an attestation back\n\nGateways that enforce the gate refuse the revision within a second, and nobody releases or rolls back to it.",
	}}
	RestoreAttestation = Route[RevokeAttestationRequest, GateAnswer]{Operation{
		ID: "restoreAttestation", Pattern: "POST " + gatePath + "/restore", Action: "attestation.restore", On: versionOn,
		Doc: "Let a revision whose attestation was taken back go through the gate again",
	}}
	GetGateKeys = Route[Empty, GateKeys]{Operation{
		ID: "getGateKeys", Pattern: "GET /.well-known/gatehouse-keys.json", Action: "gate.keys", Public: true,
		Doc: "Read the public keys that prove attestations",
	}}
)

// The routes of waivers.
var (
	AskWaiver = Route[AskWaiverRequest, WaiverAnswer]{Operation{
		ID: "askWaiver", Pattern: "POST /v1/waivers", Action: "waiver.ask", Status: 201,
		Doc: "Ask for an exception of one API from one control until a date\n\nIt excepts from nothing before someone else approves it.",
	}}
	ListWaivers = Route[ListWaiversRequest, WaiverList]{Operation{
		ID: "listWaivers", Pattern: "GET /v1/waivers", Action: "waiver.list",
		Doc: "List waivers, newest first\n\nThose of APIs that the caller may see.",
	}}
	GetWaiver = Route[WaiverRef, WaiverAnswer]{Operation{
		ID: "getWaiver", Pattern: "GET /v1/waivers/{waiver}", Action: "waiver.get",
		Doc: "Read one waiver",
	}}
	ApproveWaiver = Route[DecideWaiverRequest, WaiverAnswer]{Operation{
		ID: "approveWaiver", Pattern: "POST /v1/waivers/{waiver}/approve", Action: "waiver.approve",
		Doc: "Let an exception begin\n\nWho asked for it cannot approve it.",
	}}
	RejectWaiver = Route[DecideWaiverRequest, WaiverAnswer]{Operation{
		ID: "rejectWaiver", Pattern: "POST /v1/waivers/{waiver}/reject", Action: "waiver.reject",
		Doc: "Turn a waiver down",
	}}
	RevokeWaiver = Route[DecideWaiverRequest, WaiverAnswer]{Operation{
		ID: "revokeWaiver", Pattern: "POST /v1/waivers/{waiver}/revoke", Action: "waiver.revoke",
		Doc: "End a waiver before its time",
	}}
)

var gateRoutes = []Described{
	RunGate, GetGate, ListGate, ListAnswers, AnswerGate, ConfirmGate, RevokeAttestation, RestoreAttestation, GetGateKeys,
	AskWaiver, ListWaivers, GetWaiver, ApproveWaiver, RejectWaiver, RevokeWaiver,
}

// Requests of the gate.
type (
	ListAnswersRequest struct {
		VersionPath
		Paged
	}
	GateOf struct {
		Environment string `json:"environment" minLength:"1"`
		Revision    string `json:"revision,omitempty" doc:"Hash or its beginning; left out, the newest."`
	}
	RunGateRequest struct {
		VersionPath
		Body GateOf
	}
	GetGateRequest struct {
		VersionPath
		Environment string `query:"environment" required:"true"`
		Revision    string `query:"revision" doc:"Hash or its beginning; left out, what is released there."`
	}
	ListGateRequest struct {
		Environment string `query:"environment"`
		Team        string `query:"team"`
		API         string `query:"api" doc:"team/name"`
		Framework   string `query:"framework"`
		Failing     bool   `query:"failing" doc:"Only what does not pass."`
		OnNotice    bool   `query:"onNotice" doc:"Only what falls short and may go on until a date."`
		Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many are looked at, at most."`
		After       string `query:"after" doc:"Cursor from the page before."`
	}
	AnswerGateRequest struct {
		VersionPath
		Body struct {
			GateOf
			Control  string   `json:"control" minLength:"1"`
			Text     string   `json:"text" maxLength:"20000" doc:"The answer."`
			Evidence []string `json:"evidence,omitempty" maxItems:"50" doc:"SHA-256 of files uploaded as evidence."`
		}
	}
	ConfirmGateRequest struct {
		VersionPath
		Body struct {
			GateOf
			Control string `json:"control" minLength:"1"`
			Reject  bool   `json:"reject,omitempty" doc:"The answer does not do."`
			Comment string `json:"comment,omitempty" maxLength:"4000"`
			Hash    string `json:"hash,omitempty" doc:"Of the answer that was read; another one that waits by now is not decided on."`
		}
	}
	RevokeAttestationRequest struct {
		VersionPath
		Body struct {
			GateOf
			Reason string `json:"reason" minLength:"1" maxLength:"4000"`
		}
	}
	WaiverRef struct {
		Waiver string `path:"waiver"`
	}
	AskWaiverRequest struct {
		Body struct {
			API         string    `json:"api" doc:"team/name, or one version of it: team/name@v1"`
			Control     string    `json:"control" minLength:"1"`
			Framework   string    `json:"framework,omitempty" doc:"Left out, the one that judges the API."`
			Environment string    `json:"environment,omitempty" doc:"Left out, all."`
			Reason      string    `json:"reason" minLength:"1" maxLength:"4000"`
			Expires     time.Time `json:"expires" doc:"At most 365 days from now."`
		}
	}
	DecideWaiverRequest struct {
		WaiverRef
		Body struct {
			Comment string `json:"comment,omitempty" maxLength:"4000"`
			Hash    string `json:"hash,omitempty" doc:"Of what was read; something else is not decided on."`
		}
	}
	ListWaiversRequest struct {
		Team        string `query:"team"`
		API         string `query:"api" doc:"team/name"`
		State       string `query:"state" enum:"requested,approved,rejected,revoked,expired"`
		Control     string `query:"control"`
		Framework   string `query:"framework"`
		Environment string `query:"environment"`
		Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many are looked at, at most."`
		After       string `query:"after" doc:"Cursor from the page before."`
	}
)

// Answers of the gate.
type (
	GateAnswer struct{ Body GateBody }
	GateBody   struct {
		Result gatehouse.GateResult `json:"result"`
		// Attestation covers the revision unless it was revoked or has ended.
		Attestation *gatehouse.Attested `json:"attestation,omitempty"`
	}
	GateList struct {
		Body struct {
			Items []GateItem `json:"items"`
			Next  string     `json:"next,omitempty"`
		}
	}
	GateItem struct {
		Environment      string    `json:"environment"`
		Mode             string    `json:"mode"` // of the environment's gate: enforce or report
		API              string    `json:"api"`
		Version          string    `json:"version"`
		Revision         string    `json:"revision"`
		Framework        string    `json:"framework,omitempty"`
		FrameworkVersion string    `json:"frameworkVersion,omitempty"`
		Outcome          string    `json:"outcome"`          // passed, waived, grace, waiting or failed
		Short            []string  `json:"short,omitempty"`  // ids of the required controls that are not obeyed
		Waived           []string  `json:"waived,omitempty"` // ids of those that are excepted
		Notice           time.Time `json:"notice,omitzero"`  // when the first period of grace ends
		Expires          time.Time `json:"expires,omitzero"` // of the attestation
		Time             time.Time `json:"time"`             // of the evaluation
	}
	AttestationAnswer struct{ Body gatehouse.Attested }
	AnswerAnswer      struct{ Body AnswerBody }
	AnswerList        struct {
		Body struct {
			Items []AnswerBody `json:"items"`
			Next  string       `json:"next,omitempty"`
		}
	}
	// AnswerBody is an answer with the hash by which it is decided on.
	AnswerBody struct {
		gatehouse.Answer
		Hash string `json:"hash"`
	}
	// WaiverBody is a waiver with the hash by which it is decided on.
	WaiverBody struct {
		gatehouse.Waiver
		Hash string `json:"hash"`
	}
	WaiverAnswer struct{ Body WaiverBody }
	WaiverList   struct {
		Body struct {
			Items []WaiverBody `json:"items"`
			Next  string       `json:"next,omitempty"`
		}
	}
	GateKeys struct{ Body GateKeysBody }
	// GateKeysBody is what proves attestations without a server.
	GateKeysBody struct {
		Installation string    `json:"installation"`
		Keys         []GateKey `json:"keys"`
	}
	GateKey struct {
		ID        string `json:"id"`
		Algorithm string `json:"algorithm"` // Ed25519
		PublicKey []byte `json:"publicKey"` // 32 bytes
	}
)
