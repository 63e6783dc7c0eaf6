// Package policy says what a policy is: one step that a gateway performs on a
// request or on its response.
//
// Each policy lives in a folder of its own with its manual page, its
// configuration, its check and its step; policy/all lists them. Both wings
// import this package: the management wing to check a configuration when it is
// applied, the traffic wing to build and run the step. It therefore knows
// neither wing, and no type of net/http: the engine beneath a request may
// change without a policy noticing.
package policy

import (
	"context"
	"encoding/json"
	"time"
)

// A Kind is one kind of policy, a value in the list of policy/all.
type Kind struct {
	// Name as it stands in files, such as "rate-limit".
	Name string
	// Doc is the manual page: a line without a full stop, a blank line, and
	// paragraphs of text.
	Doc string
	// New returns a configuration with the defaults set, to decode into.
	New func() Config
	// Early steps run before the caller is identified: what must hold for
	// strangers (ip-filter) or must answer them (cors). All other steps see
	// the caller's subscription.
	Early bool
	// Identifies marks the steps that read who calls from a token (jwt): where
	// an API's access is "token" they run as part of identification, before
	// the mandatory, plan and other steps that need the caller.
	Identifies bool
	// PerOperation marks steps that are made of what an operation has, such
	// as its examples (mock). Where an API takes its operations only, no such
	// step is built for requests to none of them, which are refused anyway.
	PerOperation bool
}

// A Config is one use of a policy.
type Config interface {
	// Validate checks the configuration alone and names the field at fault as
	// the user wrote it: `networks[1]: "10.0.0/8" is neither …`. It reaches
	// for nothing outside: no file, no network, no environment variable.
	Validate() error
	// Build prepares the step, once for each place that uses the policy in
	// each table. It may start nothing that it does not tie to env.Context.
	Build(env Env) (Step, error)
}

// Parametric is a Config that is made of path parameters of operations. It is
// for places above an operation: at one, Build is told which there are.
type Parametric interface {
	// PathParameters names them, each once.
	PathParameters() []string
}

// A Step performs the request half of a policy on one exchange. It returns nil
// to go on or the denial that ends the request. Steps run concurrently.
type Step func(x *Exchange) *Denial

// A ResponseStep performs the response half, after the backend answered or a
// later step denied, for each policy whose request half was entered; the last
// entered comes first.
type ResponseStep func(x *Exchange)

// Env is what the gateway lends a policy while it builds.
type Env struct {
	// Context ends when the gateway stops; background work ends with it.
	Context context.Context
	// Scope names the place of this use and stays the same from table to
	// table, so that counters outlive a swap: "payments/orders@v1",
	// "payments/orders@v1#createOrder", "plan:payments/commerce/gold".
	Scope string
	// OnResponse registers the policy's response half.
	OnResponse func(ResponseStep)
	// Secret resolves a reference such as "${env:NAME}" or "${file:path}";
	// text that is no reference is returned as it is.
	Secret func(ref string) (string, error)
	// Params are the names of the operation's path parameters when the use
	// is on an operation that is known; nil otherwise.
	Params []string
	// Limits counts requests; never nil.
	Limits Limiter
	// Shared keeps a value by key across tables, such as a key set with its
	// refresher: it returns the value made earlier under the same key, or
	// makes it. The value's stop function is called when no table uses it.
	Shared func(key string, make func() (value any, stop func())) any
	// Fetch gets a document over HTTPS within bounds of size and time, for
	// key sets; addresses that the gateway may not reach are refused.
	Fetch func(ctx context.Context, url string) (body []byte, header func(name string) string, err error)
	// Examples are the operation's example answers, when the use is on an
	// operation and its definition has or allows any.
	Examples []Example
	// Log reports what an operator should know and no caller may see.
	Log func(format string, args ...any)
}

// A Limiter counts against budgets. Counters outlive tables. It is safe for use
// by several goroutines.
type Limiter interface {
	// Take asks for n out of b.Limit per period and answers how the budget
	// stands. With burst above zero it is a token bucket that refills evenly;
	// otherwise a window. scope and key together name the counter: scope is
	// made once, from Env.Scope; key is what is counted and may lie in memory
	// that is used again once Take has returned. A denied Take counts nothing.
	Take(scope, key string, b Budget, n int64, now time.Time) Standing
}

// A Budget is a bound on counting.
type Budget struct {
	Limit int64         // how many in a Period
	Per   time.Duration // length of the period; zero with Calendar set
	// Calendar, "hour", "day", "week" or "month", aligns the window to UTC.
	Calendar string
	// Burst above zero selects an evenly refilled bucket of that size (GCRA).
	Burst int64
	// Shared counts over all instances of the environment rather than in
	// this process alone.
	Shared bool
}

// A Standing is where a budget stands after asking.
type Standing struct {
	Allowed   bool
	Limit     int64
	Remaining int64
	Reset     time.Duration // until the window ends or the bucket is full
	Retry     time.Duration // until asking again can succeed; zero when allowed
}

// An Example is one answer an operation may give.
type Example struct {
	Status      int             `json:"status"`
	ContentType string          `json:"contentType,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"` // JSON, or a JSON string for other types
	Name        string          `json:"name,omitempty"`
}

// A Use is a policy with its configuration, as files and chunks carry it.
type Use struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config"`
	// From says where the step comes from, for "gatehouse explain" and for
	// denials: "framework corporate 2026.1", "plan commerce/gold", "api".
	From string `json:"from,omitempty"`
}
