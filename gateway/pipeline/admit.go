package pipeline

import (
	"net/http"

	"gatehouse/gateway/credential"
	"gatehouse/policy"
	"gatehouse/policy/apikey"
	"gatehouse/snapshot"
)

// admit runs the chain's request halves in their order.
func (c *Call) admit() *policy.Denial {
	chain := c.op.chain
	if d := c.run(chain.early); d != nil {
		return d
	}
	if c.Method == "OPTIONS" && !c.definesOptions() {
		return c.options()
	}
	plan, d := c.identify(chain)
	if d != nil {
		return d
	}
	if d := c.run(chain.mandatory); d != nil {
		return d
	}
	if plan != nil {
		if d := c.run(plan.steps); d != nil {
			return d
		}
	}
	return c.run(chain.own)
}

// definesOptions tells whether OPTIONS is for the backend to answer.
func (c *Call) definesOptions() bool {
	if c.api.any {
		return true
	}
	op, _ := c.api.tree.Match("OPTIONS", c.operationPath(), nil)
	return op >= 0
}

func (c *Call) operationPath() string {
	if rel := c.Path[len(c.api.Path):]; rel != "" {
		return rel
	}
	return "/"
}

// options answers what a definition leaves open (RFC 9110 §9.3.7). No field of
// CORS is among the answer's: a browser then refuses the page.
func (c *Call) options() *policy.Denial {
	allow := c.allow(c.operationPath())
	if allow == "" {
		return policy.Deny(http.StatusNotFound, "operation-unknown", "the API has no operation under this path")
	}
	d := &policy.Denial{Status: http.StatusNoContent, Answer: true}
	d.Header.Add("Allow", allow)
	return d
}

// identify finds out who calls, as the API's access says.
func (c *Call) identify(chain *chain) (*Plan, *policy.Denial) {
	header := c.table.keyHeader()
	key, d := apikey.Take(&c.Exchange, header)
	if d != nil {
		return nil, d
	}
	if key != "" && c.api.passKey {
		c.Header.Set(header, key)
	}
	if c.api.access == byToken {
		if d := c.run(chain.token); d != nil {
			return nil, d
		}
		return c.byToken()
	}
	if key == "" {
		if c.api.access == open {
			return nil, nil
		}
		return nil, unidentified("key-missing", "the request has no API key", header)
	}
	plan, d := c.byKey(key, header)
	if d != nil && c.api.access == open {
		return nil, nil
	}
	return plan, d
}

func (c *Call) byKey(key, header string) (*Plan, *policy.Denial) {
	known, plan := c.choose(c.table.Credentials.FindKey(key, c.found[:0]))
	switch {
	case plan != nil:
		return plan, nil
	case known == expired:
		return nil, unidentified("key-expired", "the API key or its subscription has expired", header)
	case known == live:
		return nil, notSubscribed()
	}
	return nil, unidentified("key-unknown", "the API key is not known", header)
}

func (c *Call) byToken() (*Plan, *policy.Denial) {
	issuer, _ := c.Claims["iss"].(string)
	client, _ := c.Claims["azp"].(string)
	if client == "" {
		client, _ = c.Claims["client_id"].(string)
	}
	if issuer == "" || client == "" {
		d := policy.Deny(http.StatusUnauthorized, "token-without-client", "the token does not name its issuer and the client it was issued to")
		d.Header.Add("WWW-Authenticate", "Bearer")
		return nil, d
	}
	hash := snapshot.ClientCredential(issuer, client)
	known, plan := c.choose(c.table.Credentials.Find(&hash, c.found[:0]))
	switch {
	case plan != nil:
		return plan, nil
	case known == expired:
		return nil, policy.Deny(http.StatusForbidden, "subscription-expired", "the application's subscription has expired")
	case known == live:
		return nil, notSubscribed()
	}
	return nil, policy.Deny(http.StatusForbidden, "application-unknown", "no application with a subscription has this token's client")
}

// How far a credential is known.
const (
	unknown = iota
	expired
	live
)

// choose takes the first live subscription of those that a credential proves whose
// product has the API.
func (c *Call) choose(found []credential.Subscription) (known int, plan *Plan) {
	now := c.Now.Unix()
	for i := range found {
		m := &found[i]
		if c.table.Struck.Has(m) {
			continue
		}
		if !m.Live(now) {
			known = max(known, expired)
			continue
		}
		known = live
		name := m.Plan().Value()
		product := c.table.Products[name.Product]
		if product == nil || !product.apis[c.API] {
			continue
		}
		if plan = product.Plans[name.Plan]; plan == nil {
			continue
		}
		c.caller = *m
		c.Subscription, c.Application = m.Name(), m.Application()
		c.Product, c.Plan = name.Product, name.Plan
		return live, plan
	}
	return known, nil
}

// unidentified is 401. There is no registered scheme for keys in a header of
// their own; the challenge (RFC 9110 §11.6.1) says where the key belongs.
func unidentified(problem, detail, header string) *policy.Denial {
	d := policy.Deny(http.StatusUnauthorized, problem, detail)
	d.Header.Add("WWW-Authenticate", `ApiKey realm="gatehouse", header="`+header+`"`)
	return d
}

func notSubscribed() *policy.Denial {
	return policy.Deny(http.StatusForbidden, "not-subscribed", "the subscription is not for a product that has this API")
}
