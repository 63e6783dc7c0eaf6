// Package gatehouse is the words of the product: what a team, an API, a
// subscription, an event or an error is, one noun a file.
//
// These types are the contract of files, management API, CLI and export alike.
// The package checks what one document can tell by itself; what needs other
// documents (references, routes that collide) is for package bundle, and what
// needs a decision is for the rooms of control. The traffic wing never imports
// it: a gateway knows package snapshot only.
package gatehouse

import (
	"encoding/json"
	"slices"
	"strings"
)

// APIVersion is what every document begins with.
const APIVersion = "gatehouse/v1"

// A Kind is the kind of a document.
type Kind string

// The kinds that files hold. The first block belongs to the organization, the
// second to a team.
const (
	KindTeam           Kind = "Team"
	KindUser           Kind = "User"
	KindGroup          Kind = "Group"
	KindServiceAccount Kind = "ServiceAccount"
	KindRole           Kind = "Role"
	KindRoleAssignment Kind = "RoleAssignment"
	KindEnvironment    Kind = "Environment"
	KindGateway        Kind = "Gateway"
	KindFramework      Kind = "Framework"
	KindConnector      Kind = "Connector"
	KindTrail          Kind = "Trail"
	KindAlarm          Kind = "Alarm"
	KindWebhook        Kind = "Webhook"
	KindPortal         Kind = "Portal"

	KindAPI          Kind = "API"
	KindBackend      Kind = "Backend"
	KindPolicySet    Kind = "PolicySet"
	KindProduct      Kind = "Product"
	KindApplication  Kind = "Application"
	KindSubscription Kind = "Subscription"
)

// Kinds of records that actions create rather than files.
const (
	KindRevision  Kind = "Revision"
	KindRelease   Kind = "Release"
	KindKey       Kind = "Key"
	KindToken     Kind = "Token"
	KindSession   Kind = "Session"   // a Token of the console
	KindLoginCode Kind = "LoginCode" // a Token that opens one session
	KindInstance  Kind = "Instance"
)

// An Object is one document.
type Object struct {
	APIVersion string   `json:"apiVersion"`
	Kind       Kind     `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"` // a pointer to the kind's type
}

// Metadata identifies an object: kind, team and name; there are no ids.
type Metadata struct {
	// Team that owns the object; absent for the organization's kinds.
	Team string `json:"team,omitempty"`
	// Name is lower-case letters, digits and "-", at most 63; subjects'
	// names (User, ServiceAccount, RoleAssignment) may also have "@", ".", "_"
	// and "+", and be as long as a mail address, 254.
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations are notes of other programs; Gatehouse does not read them.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Protected objects are deleted only with --yes-delete.
	Protected bool `json:"protected,omitempty"`
}

// A Spec is what a kind says.
type Spec interface {
	// Check looks at the spec alone and reports every fault.
	Check(c *Checker)
}

// A KindInfo describes a kind: one list from which come paths, help, schemas
// and pages of documentation.
type KindInfo struct {
	Kind   Kind
	Plural string // in paths and commands, "policy-sets"
	Short  []string
	Owned  bool // belongs to a team
	New    func() Spec
}

// Kinds lists the kinds of files, in the order they are applied: what others
// refer to comes first.
var Kinds = []KindInfo{
	{KindRole, "roles", nil, false, func() Spec { return new(Role) }},
	{KindTeam, "teams", nil, false, func() Spec { return new(Team) }},
	{KindUser, "users", nil, false, func() Spec { return new(User) }},
	{KindGroup, "groups", nil, false, func() Spec { return new(Group) }},
	{KindServiceAccount, "service-accounts", []string{"sa"}, false, func() Spec { return new(ServiceAccount) }},
	{KindRoleAssignment, "role-assignments", []string{"ra"}, false, func() Spec { return new(RoleAssignment) }},
	{KindFramework, "frameworks", nil, false, func() Spec { return new(Framework) }},
	{KindEnvironment, "environments", []string{"env"}, false, func() Spec { return new(Environment) }},
	{KindGateway, "gateways", []string{"gw"}, false, func() Spec { return new(Gateway) }},
	{KindConnector, "connectors", nil, false, func() Spec { return new(Connector) }},
	{KindTrail, "trails", nil, false, func() Spec { return new(Trail) }},
	{KindAlarm, "alarms", nil, false, func() Spec { return new(Alarm) }},
	{KindWebhook, "webhooks", nil, false, func() Spec { return new(Webhook) }},
	{KindPortal, "portals", nil, false, func() Spec { return new(Portal) }},
	{KindPolicySet, "policy-sets", []string{"ps"}, true, func() Spec { return new(PolicySet) }},
	{KindBackend, "backends", nil, true, func() Spec { return new(Backend) }},
	{KindAPI, "apis", nil, true, func() Spec { return new(API) }},
	{KindProduct, "products", nil, true, func() Spec { return new(Product) }},
	{KindApplication, "applications", []string{"app"}, true, func() Spec { return new(Application) }},
	{KindSubscription, "subscriptions", []string{"sub"}, true, func() Spec { return new(Subscription) }},
}

// Info describes a kind by its name, plural, short name or the name in any
// letter case, as people type it.
func Info(name string) (KindInfo, bool) {
	for _, k := range Kinds {
		if strings.EqualFold(name, string(k.Kind)) || strings.EqualFold(name, k.Plural) || slices.Contains(k.Short, strings.ToLower(name)) ||
			strings.EqualFold(name, strings.TrimSuffix(k.Plural, "s")) {
			return k, true
		}
	}
	return KindInfo{}, false
}

// Key is where the store keeps the object: "API/payments/orders",
// "Environment/prod".
func (o *Object) Key() string { return Key(o.Kind, o.Metadata.Team, o.Metadata.Name) }

// Key is the store's key of an object.
func Key(k Kind, team, name string) string {
	if team == "" {
		return string(k) + "/" + name
	}
	return string(k) + "/" + team + "/" + name
}

// Ref is how people name an object: "payments/orders", or "prod".
func (m Metadata) Ref() string {
	if m.Team == "" {
		return m.Name
	}
	return m.Team + "/" + m.Name
}

// ParseRef splits "team/name"; a bare name belongs to team.
func ParseRef(ref, team string) (string, string) {
	if t, n, ok := strings.Cut(ref, "/"); ok {
		return t, n
	}
	return team, ref
}

// ParseVersionRef splits "team/name@version#revision"; parts left out are "".
func ParseVersionRef(ref, team string) (t, name, version, revision string) {
	ref, revision, _ = strings.Cut(ref, "#")
	ref, version, _ = strings.Cut(ref, "@")
	t, name = ParseRef(ref, team)
	return t, name, version, revision
}

// A PolicyUse is one step: a one-key map from the policy's name to its
// configuration, or {policy-set: team/name} which stands for that set's steps.
type PolicyUse struct {
	Name   string
	Config json.RawMessage
}

// A Stored is how the control plane keeps an object.
type Stored struct {
	// Object is the document as it was sent, in canonical JSON.
	Object json.RawMessage `json:"object"`
	// Files are the definitions it names: path as written to the SHA-256 of
	// the content, kept once under "Blob/<hash>".
	Files map[string]string `json:"files,omitempty"`
	// Set is the --set of files that applied it.
	Set string `json:"set,omitempty"`
	// Status is the server's own part, such as a SubscriptionStatus.
	Status json.RawMessage `json:"status,omitempty"`
}

// ReadStored reads what the store has at the key of an object.
func ReadStored(key string, value []byte) (Stored, *Object, error) {
	var s Stored
	o := new(Object)
	err := json.Unmarshal(value, &s)
	if err == nil {
		err = json.Unmarshal(s.Object, o)
	}
	if err != nil {
		return Stored{}, nil, E(Internal, "reading %q: %w", key, err)
	}
	return s, o, nil
}
