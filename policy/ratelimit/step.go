package ratelimit

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/policy"
)

// A Use is what rate-limit and quota differ in.
type Use struct {
	Kind    string // "rate-limit" or "quota": the problem's type begins with it
	By      string
	Counter string // tells this budget from others of the same place
	Budget  policy.Budget
	Window  time.Duration // length of the period, as callers are told; for a month, 30 days
	Detail  string        // what was passed, for the caller
}

// Step counts one request for each exchange and denies with 429 (RFC 6585 §4)
// what is beyond the budget.
func Step(env policy.Env, u Use) (policy.Step, error) {
	caller := callers(u.By)
	scope := env.Scope + "|" + u.Kind + "|" + u.Counter + "|"
	byCaller, byAddress := scope+u.By, scope+ByAddress
	tell := newTeller(env.Scope, u)
	limits := env.Limits
	env.OnResponse(flush)
	return func(x *policy.Exchange) *policy.Denial {
		name, key := byCaller, caller(x)
		if key == "" {
			name, key = byAddress, network(x.Caller)
		}
		s := limits.Take(name, key, u.Budget, 1, x.Now)
		if s.Allowed {
			tell.standing(&x.Reply, s)
			return nil
		}
		d := policy.Deny(http.StatusTooManyRequests, u.Kind+"-exceeded", u.Detail)
		d.Header.Add("Retry-After", strconv.FormatInt(max(1, seconds(s.Retry)), 10))
		tell.standing(&d.Header, s)
		return d
	}, nil
}

// flush moves what request halves have put by to the answer.
func flush(x *policy.Exchange) {
	if len(x.Reply) > 0 {
		x.Response.Header = append(x.Response.Header, x.Reply...)
		clear(x.Reply)
		x.Reply = x.Reply[:0]
	}
}

// seconds rounds up: who comes back after that time is not too early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// A teller writes RateLimit-Policy and RateLimit as
// draft-ietf-httpapi-ratelimit-headers-10 has them: lists of items whose value
// is the budget's name, with q, w (seconds), r and t (seconds) as parameters.
type teller struct{ name, policy string }

func newTeller(scope string, u Use) teller {
	name := strconv.Quote(place(scope) + "-" + u.Kind) // letters, digits and "-" only: a structured string
	return teller{name, name + ";q=" + strconv.FormatInt(u.Budget.Limit, 10) + ";w=" + strconv.FormatInt(seconds(u.Window), 10)}
}

func (t teller) standing(h *policy.Header, s policy.Standing) {
	h.Add("RateLimit-Policy", t.policy)
	var buf [96]byte
	b := append(buf[:0], t.name...)
	b = append(b, ";r="...)
	b = strconv.AppendInt(b, max(0, s.Remaining), 10)
	b = append(b, ";t="...)
	b = strconv.AppendInt(b, max(0, seconds(s.Reset)), 10)
	h.Add("RateLimit", string(b))
}

// place tells a plan's budget from the API's and the operation's, and the second
// of a kind at one place, which the pipeline marks "/2", from the first.
func place(scope string) string {
	name := "api"
	switch {
	case strings.HasPrefix(scope, "plan:"):
		name = "plan"
	case strings.HasPrefix(scope, "mandatory:"):
		name = "mandatory"
	case strings.Contains(scope, "#"):
		name = "operation"
	}
	if n, err := strconv.ParseUint(scope[strings.LastIndexByte(scope, '/')+1:], 10, 16); err == nil {
		name += "-" + strconv.FormatUint(n, 10)
	}
	return name
}
