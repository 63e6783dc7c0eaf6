package adminapi

import (
	"encoding/json"
	"strings"

	"gatehouse"
)

// OwnedRef names an object that belongs to a team.
type OwnedRef struct {
	Team string `path:"team"`
	Name string `path:"name"`
}

// OrgRef names an object of the organization.
type OrgRef struct {
	Name string `path:"name"`
}

// Conditional makes a change depend on what the caller saw.
type Conditional struct {
	IfMatch     string `header:"If-Match" doc:"ETag the object must have; * for any."`
	IfNoneMatch string `header:"If-None-Match" doc:"* creates only."`
}

// GetOptions say which state of an object is wanted.
type GetOptions struct {
	AsOf      string `query:"asOf" doc:"A past moment, RFC 3339."`
	Effective bool   `query:"effective" doc:"Fill in the defaults."`
}

// Requests for one object, and for lists. Body is the document.
type (
	PutOwned struct {
		OwnedRef
		Conditional
		Body json.RawMessage
	}
	PutOrg struct {
		OrgRef
		Conditional
		Body json.RawMessage
	}
	GetOwned struct {
		OwnedRef
		GetOptions
	}
	GetOrg struct {
		OrgRef
		GetOptions
	}
	DeleteOwned struct {
		OwnedRef
		Conditional
		YesDelete bool   `query:"yesDelete" doc:"Delete it even if it is protected."`
		Force     string `query:"force" maxLength:"2000" doc:"Why it goes although it has traffic."`
	}
	DeleteOrg struct {
		OrgRef
		Conditional
		YesDelete bool   `query:"yesDelete" doc:"Delete it even if it is protected."`
		Force     string `query:"force" maxLength:"2000" doc:"Why it goes although it has traffic."`
	}
	ListOwned struct {
		Team string `path:"team" doc:"A team's name, or - for all teams."`
		PageRequest
		AsOf string `query:"asOf" doc:"A past moment, RFC 3339."`
	}
	ListOrg struct {
		PageRequest
		AsOf string `query:"asOf" doc:"A past moment, RFC 3339."`
	}
)

// An Object is one document as it is kept, with what the server knows of it.
type Object struct {
	ETag string `header:"ETag"`
	Body ObjectBody
}

// An ObjectBody is a document and the server's part beside it.
type ObjectBody struct {
	APIVersion string             `json:"apiVersion"`
	Kind       gatehouse.Kind     `json:"kind"`
	Metadata   gatehouse.Metadata `json:"metadata"`
	Spec       json.RawMessage    `json:"spec"`
	// Status is the server's part: a subscription's state, and the set of
	// files that applied the object.
	Status json.RawMessage `json:"status,omitempty"`
}

// Objects is a page of documents.
type Objects struct {
	Body struct {
		Items []ObjectBody `json:"items"`
		Next  string       `json:"next,omitempty"`
	}
}

// ObjectRoutes are the four routes of one kind; Owned or Org is set.
type ObjectRoutes struct {
	Info  gatehouse.KindInfo
	Owned *OwnedRoutes
	Org   *OrgRoutes
}

// OwnedRoutes are the routes of a kind that teams own.
type OwnedRoutes struct {
	Put    Route[PutOwned, Object]
	Get    Route[GetOwned, Object]
	Delete Route[DeleteOwned, Empty]
	List   Route[ListOwned, Objects]
}

// OrgRoutes are the routes of a kind of the organization.
type OrgRoutes struct {
	Put    Route[PutOrg, Object]
	Get    Route[GetOrg, Object]
	Delete Route[DeleteOrg, Empty]
	List   Route[ListOrg, Objects]
}

// ObjectsOf has the routes of every kind that files hold.
var ObjectsOf = objectRoutes()

func objectRoutes() map[gatehouse.Kind]ObjectRoutes {
	all := map[gatehouse.Kind]ObjectRoutes{}
	for _, k := range gatehouse.Kinds {
		r := ObjectRoutes{Info: k}
		if k.Owned {
			base, on := "/v1/teams/{team}/"+k.Plural, string(k.Kind)+"/{team}/{name}"
			r.Owned = &OwnedRoutes{
				Put:    Route[PutOwned, Object]{object(k, "PUT", base, on)},
				Get:    Route[GetOwned, Object]{object(k, "GET", base, on)},
				Delete: Route[DeleteOwned, Empty]{object(k, "DELETE", base, on)},
				List:   Route[ListOwned, Objects]{object(k, "LIST", base, "")},
			}
		} else {
			base, on := "/v1/"+k.Plural, string(k.Kind)+"/{name}"
			r.Org = &OrgRoutes{
				Put:    Route[PutOrg, Object]{object(k, "PUT", base, on)},
				Get:    Route[GetOrg, Object]{object(k, "GET", base, on)},
				Delete: Route[DeleteOrg, Empty]{object(k, "DELETE", base, on)},
				List:   Route[ListOrg, Objects]{object(k, "LIST", base, "")},
			}
		}
		all[k.Kind] = r
	}
	return all
}

// object describes one of the four routes of a kind.
func object(k gatehouse.KindInfo, verb, base, on string) Operation {
	noun := strings.TrimSuffix(k.Plural, "s")
	o := Operation{Kind: k.Kind, On: on, MaxBody: 10 << 20}
	switch verb {
	case "PUT":
		if k.Kind == gatehouse.KindRoleAssignment {
			o.On = "" // what it lies within, its scope, stands in the document alone
		}
		o.ID, o.Action, o.Pattern = "put"+string(k.Kind), noun+".put", "PUT "+base+"/{name}"
		o.Doc = "Create or replace one " + string(k.Kind) + "\n\nPutting what is there already changes nothing. A definition that the document names must have been applied before with POST /v1/apply."
	case "GET":
		o.ID, o.Action, o.Pattern = "get"+string(k.Kind), noun+".get", "GET "+base+"/{name}"
		o.Doc = "Read one " + string(k.Kind)
	case "DELETE":
		o.ID, o.Action, o.Pattern, o.Status = "delete"+string(k.Kind), noun+".delete", "DELETE "+base+"/{name}", 204
		o.Doc = "Delete one " + string(k.Kind) + "\n\nAn object that others refer to stays, and the answer names them."
	case "LIST":
		o.ID, o.Action, o.Pattern = "list"+string(k.Kind)+"s", noun+".list", "GET "+base
		o.Doc = "List objects of kind " + string(k.Kind) + "\n\nThe list holds what the caller may read."
	}
	return o
}

// listedObjectRoutes are all object routes for the table, kind by kind.
func listedObjectRoutes() []Described {
	var list []Described
	for _, k := range gatehouse.Kinds {
		if r := ObjectsOf[k.Kind]; r.Owned != nil {
			list = append(list, r.Owned.List, r.Owned.Get, r.Owned.Put, r.Owned.Delete)
		} else {
			list = append(list, r.Org.List, r.Org.Get, r.Org.Put, r.Org.Delete)
		}
	}
	return list
}
