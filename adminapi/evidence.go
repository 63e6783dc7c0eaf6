package adminapi

import (
	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
)

// The routes of evidence: files that prove something, by the SHA-256 of their
// bytes.
var (
	AddEvidence = Route[AddEvidenceRequest, EvidenceAnswer]{Operation{
		ID: "addEvidence", Pattern: "POST /v1/evidence", Action: "evidence.create", Status: 201, MaxBody: 16 << 20,
		Doc: `Keep a file that proves something

At most 10 MiB. It is kept once, by the SHA-256 of its bytes, which approvals and answers name; one that is there already is answered as it is.`,
	}}
	ListEvidence = Route[ListEvidenceRequest, EvidenceList]{Operation{
		ID: "listEvidence", Pattern: "GET /v1/evidence", Action: "evidence.list",
		Doc: "List files that prove something, newest first",
	}}
	GetEvidence = Route[EvidenceRef, EvidenceAnswer]{Operation{
		ID: "getEvidence", Pattern: "GET /v1/evidence/{hash}", Action: "evidence.get",
		Doc: "Tell what a file is, whose, and who brought it when",
	}}
	GetEvidenceContent = Route[EvidenceRef, EvidenceContent]{Operation{
		ID: "getEvidenceContent", Pattern: "GET /v1/evidence/{hash}/content", Action: "evidence.get", Stream: true,
		Doc: "Read the bytes of a file",
	}}
	GetEvidencePack = Route[EvidencePackRequest, EvidencePack]{Operation{
		ID: "getEvidencePack", Pattern: "GET /v1/frameworks/{name}/evidence", Action: "gate.evidence", On: frameworkOn, Stream: true,
		Doc: `Take away everything that proves a framework, for an auditor

A ZIP archive with texts, approvals, attestations, waivers, the policies that run, the events that belong to them and evidence files, with a signed list of hashes. It is verified with no server running. That it was taken is on record.`,
	}}
)

var evidenceRoutes = []Described{AddEvidence, ListEvidence, GetEvidence, GetEvidenceContent, GetEvidencePack}

// Requests and answers about evidence.
type (
	EvidenceRef struct {
		Hash string `path:"hash" minLength:"64" maxLength:"64" doc:"SHA-256 of the file, in hexadecimal."`
	}
	AddEvidenceRequest struct {
		Body struct {
			Name      string `json:"name" minLength:"1" maxLength:"200" doc:"Of the file, without its folder."`
			MediaType string `json:"mediaType,omitempty" maxLength:"100"`
			Team      string `json:"team,omitempty" doc:"Whose evidence it is; left out, the organization's."`
			Content   []byte `json:"content"`
		}
	}
	ListEvidenceRequest struct {
		Team         string `query:"team" doc:"Of this team; left out, all that you may see, and - for all there is."`
		Organization bool   `query:"organization" doc:"Of the organization alone, of no team."`
		Limit        int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		After        string `query:"after" doc:"Cursor from the page before."`
	}
	EvidenceAnswer struct{ Body gatehouse.Evidence }
	EvidenceList   struct {
		Body struct {
			Items []gatehouse.Evidence `json:"items"`
			Next  string               `json:"next,omitempty"`
		}
	}
	EvidenceContent struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
	EvidencePackRequest struct {
		OrgRef
		Environment string `query:"environment" doc:"Only what is of this one; left out, of all."`
	}
	// EvidencePack is streamed; clients read it as it comes.
	EvidencePack struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        func(huma.Context)
	}
)
