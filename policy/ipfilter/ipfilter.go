// Package ipfilter is the policy "ip-filter": it admits or refuses callers by
// the network their address lies in.
//
// The address is the one the gateway trusts (Exchange.Caller). How that is
// found behind load balancers is the listener's matter, not this package's.
package ipfilter

import (
	"errors"
	"net/http"

	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{
	Name:  "ip-filter",
	Doc:   doc,
	New:   func() policy.Config { return new(Config) },
	Early: true,
}

const doc = `admit or refuse callers by network

The caller's address is the one the gateway trusts, never a header taken at its
word. A caller inside a network of "deny" gets 403. When "allow" lists any
networks, a caller outside of all of them gets 403 too. What is in both is
refused: deny wins.

The step runs before the caller is identified, so that strangers learn nothing
about keys.

    - ip-filter: {allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.9.9.9"]}`

// Config is one use of ip-filter.
type Config struct {
	// Allow lists networks in CIDR form, "10.0.0.0/8" or "2001:db8::/32"; a
	// bare address stands for itself. Empty admits every network that Deny
	// does not name.
	Allow []string `json:"allow,omitempty"`
	// Deny lists networks in the same form that are refused even when Allow
	// has them.
	Deny []string `json:"deny,omitempty"`
}

// Validate checks that there is a network and that each is one.
func (c *Config) Validate() error {
	_, _, err := c.networks()
	return err
}

func (c *Config) networks() (allow, deny *networks, err error) {
	if len(c.Allow) == 0 && len(c.Deny) == 0 {
		return nil, nil, errors.New(`neither allow nor deny lists a network; {deny: ["192.0.2.0/24"]} would do`)
	}
	if allow, err = parse("allow", c.Allow); err != nil {
		return nil, nil, err
	}
	deny, err = parse("deny", c.Deny)
	return allow, deny, err
}

// Build parses the networks.
func (c *Config) Build(policy.Env) (policy.Step, error) {
	allow, deny, err := c.networks()
	if err != nil {
		return nil, err
	}
	return func(x *policy.Exchange) *policy.Denial {
		caller := x.Caller.Unmap().WithZone("")
		if deny.contain(caller) || len(c.Allow) > 0 && !allow.contain(caller) {
			return policy.Deny(http.StatusForbidden, "network-refused", "the caller's network is not admitted")
		}
		return nil
	}, nil
}
